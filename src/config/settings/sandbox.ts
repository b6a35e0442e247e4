// [sandbox].
import { addressRuleForm } from "../address_rule.ts";
import { list, type Setting } from "../setting.ts";
import { rules } from "./rules.ts";

export const sandbox = {
  "sandbox.connect": rules(
    "public, loopback",
    "TCP destinations that scripts may connect to: " + addressRuleForm.split(", where")[0] +
      ",\n" +
      "where host is a name, *.name, an IP address, address/bits, public, private, loopback or *.\n" +
      "Write an IPv6 address with a port in brackets.",
  ),
  "sandbox.udp": rules(
    "public, loopback",
    "UDP destinations that scripts may send to, in the same form.",
  ),
  "sandbox.listen": rules(
    "*:1024-65535",
    "Addresses and ports of this machine that scripts may listen on. TCP servers listen on all\n" +
      "addresses: give their ports with *, 0.0.0.0 (only IPv4) or [::] (IPv6).",
  ),
  "sandbox.mail": list<string>(["*"], {
    read: (entry) => /^(\*|[^\s@]+@[^\s@]+)$/.test(entry) ? entry.toLowerCase() : undefined,
    allowed: "*, *@domain and mail addresses",
    live: true,
    comment: "Recipients that scripts may send mail to: addresses, *@domain, or * for all.",
  }),
} satisfies Record<string, Setting<unknown>>;
