/** Secrets shorter than this would take half of the words of a log along. */
const LEAST = 4;

/** Matches of a URL: up to its query or fragment, and what stands between scheme and host. */
const QUERY = /\b([a-z][a-z\d+.-]*:\/\/[^\s?#"'<>]*)[?#][^\s"'<>]+/gi;
const USER = /\b([a-z][a-z\d+.-]*:\/\/)[^\s/?#"'<>@]+@/gi;

/**
 * Takes out of texts what a log must not tell: the secrets of the configuration, and of URLs user,
 * query and fragment, in which sites keep the keys of their visitors.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const long = secrets.filter((secret) => secret.length >= LEAST)
    .sort((a, b) => b.length - a.length); // one may be part of another
  return (text) => {
    for (const secret of long) text = text.replaceAll(secret, "…");
    if (!text.includes("://")) return text;
    return text.replace(USER, "$1…@").replace(QUERY, "$1?…");
  };
}
