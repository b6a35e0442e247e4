import type { Member } from "../../media/group.ts";
import type { Api } from "./api.ts";
import type { Binding } from "./binding.ts";

/** A virtual member of a group, which lasts while the script that made it keeps it. API-320 to API-322. */
export const member: Binding<Member, Api> = {
  name: "member",
  get: {
    id: (member) => member.id,
    rawId: (member) => member.rawId,
  },
  call: {
    release(member) {
      member.release();
    },
  },
  label: (member) => member.id,
  lasting: ["id", "rawId"],
  alive: (member) => member.active,
  // A member that scripts dropped leaves the group. API-322
  dropped: (member) => member.release(),
};
