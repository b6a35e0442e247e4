// Sends mails of scripts one after the other over one SMTP session, which stays open for a while after
// the last (SOCK-060 to SOCK-068).
// @ts-types="@types/nodemailer"
import type { Transporter } from "nodemailer";
import { within } from "../common/wait.ts";

export interface MailerOptions {
  readonly host: string;
  readonly port: number;
  /** Maximum time (s) for connecting and for each answer, and for which an idle session stays open. */
  readonly timeout: number;
  readonly user?: string;
  readonly password?: string;
  /** No encryption, STARTTLS after connecting, or TLS from the first byte. */
  readonly tls?: "off" | "starttls" | "on";
  /** Whether mail may be sent to an address. */
  readonly allows?: (recipient: string) => boolean;
  /**
   * Maximum duration of one mail in multiples of the time-out, 10 by default: a server that answers a little
   * again and again must not delay the next mails for ever.
   */
  readonly maxTimeouts?: number;
}

interface Mail {
  readonly sender: string;
  readonly subject: string;
  readonly content: string;
  readonly recipients: readonly string[];
}

interface Queued {
  readonly mail: Mail;
  readonly done: (error: string | undefined) => void;
}

const MAX_TIMEOUTS = 10;
/** Maximum number of mails that wait. */
const MAX_QUEUE = 1_000;
/** Maximum length of a mail in bytes. */
const MAX_CONTENT = 10 * 1024 * 1024;

export class Mailer {
  #options: MailerOptions;
  readonly #queue: Queued[] = [];
  #transport: Transporter | undefined;
  #sending: Queued | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** Number of mails that `allows` refused. */
  refused = 0;

  constructor(options: MailerOptions) {
    this.#options = options;
  }

  /** Number of mails not sent yet. */
  get pending(): number {
    return this.#queue.length + (this.#sending ? 1 : 0);
  }

  /**
   * Queues a mail. `done` is called exactly once, and never during this call: with undefined when the SMTP server accepted it for all recipients, otherwise with the reason.
   */
  send(mail: Mail, done: (error: string | undefined) => void): void {
    const fault = this.#fault(mail);
    if (fault !== undefined) {
      queueMicrotask(() => done(fault));
      return;
    }
    this.#queue.push({ mail, done });
    if (!this.#sending) queueMicrotask(() => this.#next());
  }

  /** Changes the options; a mail in transmission uses the old ones. */
  reload(options: MailerOptions): void {
    this.#options = options;
    if (!this.#sending) this.#endSession();
  }

  /** Ends the session; mails not yet sent get an error (SOCK-067). */
  close(): void {
    this.#closed = true;
    this.#failAll("the server stopped before the mail was sent");
    this.#endSession();
  }

  #fault({ sender, subject, content, recipients }: Mail): string | undefined {
    if (this.#closed) return "the server is stopping";
    if (this.pending >= MAX_QUEUE) return `${MAX_QUEUE} mails wait already`;
    if (content.length > MAX_CONTENT) return `the mail is longer than ${MAX_CONTENT} bytes`;
    if (recipients.length === 0) return "the mail has no recipient";
    for (const text of [sender, subject, ...recipients]) {
      // deno-lint-ignore no-control-regex
      if (/[\x00-\x08\x0a-\x1f\x7f\u2028\u2029]/.test(text)) {
        return "sender, subject and recipients may not hold control characters";
      }
    }
    for (const address of [sender, ...recipients]) {
      if (!/^[^\s@<>(),;:"\\[\]]+@[^\s@<>(),;:"\\]+$/.test(bareAddress(address))) {
        return `"${address}" is not a mail address`;
      }
    }
    const forbidden = recipients.find((to) => !(this.#options.allows?.(bareAddress(to)) ?? true));
    if (forbidden === undefined) return undefined;
    this.refused++;
    return `mail to ${forbidden} is not allowed by [sandbox] mail`;
  }

  async #next(): Promise<void> {
    clearTimeout(this.#idle);
    while (!this.#sending && !this.#closed) {
      const queued = this.#queue.shift();
      if (!queued) break;
      this.#sending = queued;
      const error = await this.#deliver(queued.mail);
      if (this.#sending !== queued) return; // closed meanwhile; `done` was called
      this.#sending = undefined;
      queued.done(error);
    }
    if (!this.#sending) this.#waitForMore();
  }

  /** @returns the reason why the mail was not accepted for all recipients */
  async #deliver({ sender, subject, content, recipients }: Mail): Promise<string | undefined> {
    const from = bareAddress(sender);
    const to = recipients.map(bareAddress);
    try {
      const { timeout, maxTimeouts = MAX_TIMEOUTS } = this.#options;
      const seconds = timeout * maxTimeouts;
      const late = `${this.#where()} took more than ${seconds} s for one mail`;
      const sending = (await this.#session()).sendMail({
        envelope: { from, to },
        from: { name: nameOf(sender), address: from },
        to: recipients.map((text) => ({ name: nameOf(text), address: bareAddress(text) })),
        subject,
        text: content,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      const info = await within(sending, seconds * 1000, late);
      const rejected = (info.rejectedErrors ?? []) as { recipient?: string; response?: string }[];
      if (rejected.length === 0) return undefined;
      return rejected.map(({ recipient, response }) => `${recipient}: ${response}`).join("; ");
    } catch (error) {
      const { code, command } = error as Error & { code?: string; command?: string };
      const message = reasonOf(error as Error);
      this.#endSession(); // the next mail must get only its own errors
      if (command !== "CONN" && code !== "EDNS" && code !== "ESOCKET") return message;
      const cause = `${message} (is there an SMTP server at ${this.#where()}?)`;
      if (!this.#closed) this.#failQueue(cause);
      return cause;
    }
  }

  async #session(): Promise<Transporter> {
    // Loaded by the first mail: most servers send none, and it takes long.
    const { createTransport } = await import("nodemailer");
    const { host, port, timeout, user, password, tls = "off" } = this.#options;
    const ms = timeout * 1000;
    return this.#transport ??= createTransport({
      host,
      port,
      pool: true,
      maxConnections: 1,
      maxMessages: Infinity,
      secure: tls === "on",
      requireTLS: tls === "starttls",
      ignoreTLS: tls === "off",
      auth: user ? { user, pass: password ?? "" } : undefined,
      connectionTimeout: ms,
      greetingTimeout: ms,
      socketTimeout: ms,
      dnsTimeout: ms,
    });
  }

  #waitForMore(): void {
    clearTimeout(this.#idle);
    if (!this.#transport) return;
    this.#idle = setTimeout(() => this.#endSession(), this.#options.timeout * 1000);
    Deno.unrefTimer(this.#idle as unknown as number);
  }

  #endSession(): void {
    clearTimeout(this.#idle);
    this.#transport?.close();
    this.#transport = undefined;
  }

  #failQueue(error: string): void {
    for (const { done } of this.#queue.splice(0)) done(error);
  }

  #failAll(error: string): void {
    const sending = this.#sending;
    this.#sending = undefined;
    sending?.done(error);
    this.#failQueue(error);
  }

  #where(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }
}

/** The reason of an error; if all addresses of a name failed, only their errors have a text. */
function reasonOf(error: Error): string {
  if (error.message || !(error instanceof AggregateError)) return error.message;
  return error.errors.map(({ message }) => message).join(", ");
}

/** The address in `Name <address>`, or the whole text. */
function bareAddress(text: string): string {
  return (/<([^<>]*)>\s*$/.exec(text)?.[1] ?? text).trim();
}

function nameOf(text: string): string {
  return /^(.*)<[^<>]*>\s*$/.exec(text)?.[1]?.trim().replace(/^"(.*)"$/, "$1") ?? "";
}
