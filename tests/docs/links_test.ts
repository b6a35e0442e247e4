// Links within the documentation.
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);

/** The fragment by which GitHub links a heading. */
const anchor = (heading: string) =>
  heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-");

Deno.test("Links of the documentation lead to existing pages and headings", () => {
  const broken: string[] = [];
  const pages = [...Deno.readDirSync(new URL("docs", root))].map(({ name }) => `docs/${name}`);
  for (const page of ["README.md", "ARCHITECTURE.md", ...pages]) {
    if (!page.endsWith(".md")) continue;
    const text = Deno.readTextFileSync(new URL(page, root));
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path, fragment] = link.split("#");
      const target = new URL(path || `/${page}`.split("/").at(-1)!, new URL(page, root));
      let there: string;
      try {
        there = Deno.readTextFileSync(target);
      } catch {
        broken.push(`${page}: ${link}`);
        continue;
      }
      const anchors = [...there.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading));
      if (fragment !== undefined && !anchors.includes(fragment)) broken.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});
