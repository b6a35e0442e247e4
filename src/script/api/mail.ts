import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import type { Binding, Handle } from "./objects.ts";
import type { Args } from "./values.ts";

/** A mail on its way. SOCK-060 to SOCK-068. */
export class Mail {
  constructor(readonly application: LuaApplication) {}
}

/** What scripts see of a mail: nothing but the `onSent` they put there. */
export const mail: Binding<Mail, Api> = { name: "mail" };

/** `sendMail(sender, subject, content, recipient…)`. */
export function sendMail(args: Args, api: Api): Handle {
  const sender = args.string();
  const subject = args.string();
  const content = args.string();
  const recipients: string[] = [];
  while (args.left > 0) recipients.push(args.string());
  const application = api.running!;
  const target = new Mail(application);
  const handle = api.objects.of(mail, target); // kept until it is sent: SOCK-068
  api.host.mail({ sender, subject, content, recipients }, (error) => {
    api.host.input("mail:onSent", () => {
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
