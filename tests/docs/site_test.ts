// The documentation as a site: its links, its search, and its pages in a browser, from disk.
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { render } from "../../docs/site/markdown.ts";
import { fromFileUrl, pageOf, relative, resolve } from "../../docs/site/paths.ts";
import { buildSite } from "../../docs/site/site.ts";
import { browserPath } from "../support/browser.ts";
import { TestBrowser } from "../support/test_browser.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const path = browserPath("the site");

/** A repository of a few files. */
async function withFiles(
  files: Record<string, string>,
  action: (root: string) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    for (const [path, text] of Object.entries(files)) {
      Deno.mkdirSync(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.writeTextFileSync(`${folder}/${path}`, text);
    }
    await action(`${folder}/`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("pageOf(), resolve() and relative() return the paths of pages, and from one page to another", () => {
  assert.equal(pageOf("docs/README.md"), "docs/index.html");
  assert.equal(pageOf("README.md"), "index.html");
  assert.equal(pageOf("docs/api.md"), "docs/api.html");
  assert.equal(resolve("docs/api.md", "../README.md"), "README.md");
  assert.equal(resolve("docs/README.md", "."), "docs");
  assert.equal(resolve("README.md", "."), "");
  assert.equal(relative("docs/api.html", "docs/images/a.png"), "images/a.png");
  assert.equal(relative("docs/a.html", "index.html"), "../index.html");
});

Deno.test("render() names headings as GitHub does", () => {
  const { title, sections, html } = render(
    "# A `b` & *c*\n\none\n\n## Same\n\ntwo <b>x</b>\n\n## Same\n",
  );
  assert.equal(title, "A b & c");
  assert.deepEqual(sections.map(({ id, text }) => [id, text]), [
    ["a-b--c", "one"],
    ["same", "two x"],
    ["same-1", ""],
  ]);
  assert.match(html, /<h2 id="same-1">/);
});

Deno.test("The build of the site names a broken link and its page", async () => {
  const files = {
    "README.md": "# A\n\n[b](docs/b.md#there) [c](docs/c.md) [d](LICENSE) [e](#nowhere)",
    "docs/README.md": "# Docs\n\n- [B](b.md)\n",
    "docs/b.md":
      "# B\n\n## There\n\n[x](b.md#gone) [up](../README.md) [folder](../docs)\n\n`[no](link.md)`",
  };
  await withFiles(files, async (root) => {
    await assert.rejects(buildSite(root, `${root}site`), (error: Error) => {
      const [, ...lines] = error.message.split("\n").map((line) => line.trim());
      assert.deepEqual(lines, [
        "README.md: docs/c.md",
        "README.md: LICENSE",
        "README.md: #nowhere",
        "docs/b.md: b.md#gone",
      ]);
      return true;
    });
  });
});

Deno.test("The build of the site copies linked files, and removes old ones", async () => {
  const files = {
    "README.md": '# A\n\n[d](LICENSE) <img src="docs/a.png"> [docs](docs/)',
    "docs/README.md": "# Docs\n\n- [B](b.md)\n",
    "docs/a.png": "picture",
    "docs/b.md": "# B <script>\n\n&amp; text\n",
    "LICENSE": "free",
    "site/old.html": "old",
  };
  await withFiles(files, async (root) => {
    assert.deepEqual(await buildSite(root, `${root}site`), { pages: 3, files: 2 });
    const read = (path: string) => Deno.readTextFileSync(`${root}site/${path}`);
    assert.equal(read("docs/a.png"), "picture");
    assert.match(read("index.html"), /<a href="docs\/index.html">docs<\/a>/);
    assert.match(read("docs/b.html"), /aria-current="page">B<\/a>/);
    assert.throws(() => read("old.html"), Deno.errors.NotFound);
    assert.match(read("search-index.js"), /^globalThis\.SEARCH_INDEX = \{/);
  });
});

Deno.test({
  name: "Chromium searches the whole built site from disk",
  ignore: path === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const out = Deno.makeTempDirSync();
    try {
      await using browser = await TestBrowser.launch(path);
      const { pages } = await buildSite(root, out);
      assert.ok(pages > 40, `${pages} pages`);
      for (
        const [colorScheme, width, back] of [
          ["light", 1280, "rgb(255, 255, 255)"],
          ["dark", 375, "rgb(18, 22, 28)"],
        ] as const
      ) {
        const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
        await page.goto(pathToFileURL(`${out}/docs/index.html`).href);
        assert.equal(await page.isVisible("nav li"), width > 1000);
        await page.fill("#search", "persistent shared object");
        await page.waitForSelector("#found li");
        await page.keyboard.press("Enter");
        await page.waitForURL(/\/docs\/(shared-objects|configuration|api)\.html#/);
        assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), back);
        const wide = await page.evaluate("document.documentElement.scrollWidth");
        assert.ok(wide as number <= width, `${wide} px on ${width}`);
        const heading = `document.querySelector(location.hash).getBoundingClientRect().top`;
        const header = `document.querySelector("header").getBoundingClientRect().bottom`;
        assert.ok(await page.evaluate(`${heading} >= ${header}`), `a heading behind the header`);
        await page.fill("#search", "qqqqzzzz");
        await page.getByText("Nothing found.").waitFor();
        assert.deepEqual(browser.problems, []);
        await page.context().close();
      }
    } finally {
      Deno.removeSync(out, { recursive: true });
    }
  },
});
