import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import { emptyText } from "./mistakes.ts";
import type { Binding } from "./binding.ts";
import type { Handle } from "./handle.ts";
import type { Args } from "./values.ts";

/** A mail on its way. SOCK-060 to SOCK-068. */
class Mail {
  constructor(readonly application: LuaApplication) {}
}

/** A mail as scripts see it: without members, for scripts to set `onSent`. */
const mail: Binding<Mail, Api> = { name: "mail" };

/** Memory of a queued mail: bytes per UTF-16 code unit of its texts, and fixed bytes. */
const BYTES_PER_UNIT = 2, MAIL_COST = 1_024;

const CALL = "sendMail(sender, subject, content, recipient…)";

/** `sendMail(sender, subject, content, recipient…)`: queues a mail, whose object is kept until it is sent. */
export function sendMail(args: Args, api: Api): Handle {
  const sender = args.string();
  const subject = args.string();
  const content = args.string();
  const recipients: string[] = [];
  do {
    const isThere = args.left > 0;
    const recipient = args.string();
    if (recipient === "") emptyText(args, api, CALL, "recipient");
    if (isThere) recipients.push(recipient);
  } while (args.left > 0);
  const application = api.running!;
  const texts = [sender, subject, content, ...recipients];
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  const release = api.outside.hold(application, length * BYTES_PER_UNIT + MAIL_COST);
  const target = new Mail(application);
  const handle = api.objects.of(mail, target); // SOCK-068
  api.host.mail({ sender, subject, content, recipients }, (error) => {
    api.host.input("mail:onSent", () => {
      release();
      if (application.running) {
        api.callObject(application, handle, "onSent", () => {
          if (error === undefined) api.lua.pushNil();
          else api.lua.pushText(error);
        }, () => {});
      }
      api.objects.release(target);
    });
  });
  return handle;
}
