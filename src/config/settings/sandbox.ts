// [sandbox].
import { addressRuleForm } from "../address_rule.ts";
import { list, type Setting } from "../setting.ts";
import { rules } from "./rules.ts";

export const sandbox = {
  "sandbox.connect": rules(
    "public, loopback",
    "Where scripts may connect to by TCP, a list of " + addressRuleForm.split(", where")[0] +
      ",\n" +
      "where host is a name, *.name, an IP address, address/bits, public, private, loopback or *.\n" +
      "IPv6 addresses before a port stand in brackets.",
  ),
  "sandbox.udp": rules("public, loopback", "Where scripts may send UDP packets to, likewise."),
  "sandbox.listen": rules(
    "*:1024-65535",
    "Which addresses of this machine, and which ports, scripts may listen on. TCP servers\n" +
      "listen on all addresses, so theirs are ports of *, 0.0.0.0 (IPv4 alone) or [::] (IPv6).",
  ),
  "sandbox.mail": list<string>(["*"], {
    read: (entry) => /^(\*|[^\s@]+@[^\s@]+)$/.test(entry) ? entry.toLowerCase() : undefined,
    allowed: "*, *@domain and mail addresses",
    live: true,
    comment: "Whom scripts may send mail to: addresses, *@domain, or * for everybody.",
  }),
} satisfies Record<string, Setting<unknown>>;
