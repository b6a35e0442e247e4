import { type AddressRule, addressRuleForm, parseAddressRule } from "../address_rule.ts";
import { list, type Setting } from "../setting.ts";

/** Rules about addresses. @param value as it stands in the file */
export const rules = (value: string, comment: string): Setting<readonly AddressRule[]> =>
  list(value.split(", ").filter((entry) => entry).map((entry) => parseAddressRule(entry)!), {
    read: parseAddressRule,
    allowed: addressRuleForm,
    text: value,
    live: true,
    comment,
  });
