/** Minimum characters of a secret: shorter ones would remove ordinary words from the log. */
const MIN_SECRET = 4;

/**
 * Removes secrets from texts for the log: those of the configuration, and of URLs user,
 * query and fragment, in which sites keep the keys of their visitors. Takes time in proportion to the text.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const long = secrets.filter((secret) => secret.length >= MIN_SECRET)
    .sort((a, b) => b.length - a.length); // a secret may be part of another
  return (text) => {
    for (const secret of long) text = text.replaceAll(secret, "…");
    return hideInUrls(text);
  };
}

const SCHEME_END = /[a-z\d+.-]/i;
const URL_END = /[\s"'<>]/;

/** A URL begins with `://` after a character of a scheme, and ends before a space, quote or angle bracket. */
function hideInUrls(text: string): string {
  let shown = "";
  let from = 0; // where the part begins that is not in `shown` yet
  const hide = (start: number, end: number, mark: string) => {
    shown += text.slice(from, start) + mark;
    from = end;
  };
  for (let at = text.indexOf("://"); at >= 0;) {
    const start = at + 3;
    let end = start;
    if (at > 0 && SCHEME_END.test(text.charAt(at - 1))) {
      let user = -1;
      for (
        ;
        end < text.length && !"/?#".includes(text.charAt(end)) && !URL_END.test(text.charAt(end));
        end++
      ) {
        if (text[end] === "@") user = end;
      }
      if (user > start) hide(start, user, "…");
      end = pathEnd(text, end);
      if (text[end] === "?" || text[end] === "#") {
        const query = end + 1;
        for (end = query; end < text.length && !URL_END.test(text.charAt(end));) end++;
        if (end > query) hide(query - 1, end, "?…");
      }
    }
    at = text.indexOf("://", Math.max(start, end - 1));
  }
  return shown + text.slice(from);
}

/** End of a path that continues at `at`: at a query, at the end of its URL, or where another URL begins. */
function pathEnd(text: string, at: number): number {
  while (
    at < text.length && text[at] !== "?" && text[at] !== "#" && !URL_END.test(text.charAt(at))
  ) {
    if (text[at] === ":" && text.startsWith("://", at)) break;
    at++;
  }
  return at;
}
