// Starts Chromium for tests.
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

export class TestBrowser {
  /** Uncaught exceptions of all pages. */
  readonly problems: string[] = [];
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** @param path of the program, from `browserPath()` */
  static async launch(path: string | undefined, graphics = ["--disable-gpu"]) {
    const args = ["--no-sandbox", "--disable-background-networking", ...graphics];
    return new TestBrowser(await chromium.launch({ executablePath: path, args }));
  }

  /** An empty page in a context of its own, which shares neither cookies nor cache with other pages. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await this.#browser.newContext(options)).newPage();
    page.on("pageerror", (error) => this.problems.push(String(error)));
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
