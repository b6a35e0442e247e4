// The page in a real browser: light and dark, on a desk and on a phone.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { Monitor } from "../../src/monitor/handler.ts";
import { serveHttp } from "../../src/net/http.ts";
import { browserPath } from "../support/browser.ts";
import { until } from "../support/wait.ts";
import { fakeSource } from "./fake_source.ts";

const path = browserPath("the page");

Deno.test({
  name: "The page shows the numbers in Chromium, in both colour schemes and on a phone",
  ignore: path === undefined,
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    const monitor = new Monitor({
      source: fakeSource(),
      token: "s3cret",
      hosts: [],
      healthy: () => true,
    });
    const server = await serveHttp(
      { hostname: "127.0.0.1", port: 0 },
      (request) => monitor.handle(request),
    );
    const browser = await chromium.launch({
      executablePath: path,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    });
    try {
      for (const colorScheme of ["light", "dark"] as const) {
        for (const viewport of [{ width: 1280, height: 900 }, { width: 375, height: 700 }]) {
          const context = await browser.newContext({ colorScheme, viewport });
          const page = await context.newPage();
          const problems: string[] = [];
          page.on("pageerror", (error) => problems.push(String(error)));
          page.on("dialog", (dialog) => {
            problems.push("a script of a stream's name ran");
            dialog.dismiss();
          });
          await page.goto(`http://127.0.0.1:${server.port}/`);
          await page.fill("#token", "wrong");
          await page.click("#login button");
          await page.getByText("The server does not know this token").waitFor();
          await page.fill("#token", "s3cret");
          await page.click("#login button");
          await page.waitForSelector("#publications td");
          const text = await page.innerText("main");
          for (
            const part of [
              "camera",
              "1.1 Mb/s",
              "<img src=x onerror=alert(1)>",
              "and 100 more",
              "attempt to call a nil value",
              "rtmfp.example:1935",
              "nothing has reached this server from another machine yet",
              "bad checksum",
              "rtmps://a.example/live2/…",
              "refused: NetStream.Publish.BadName",
              "sandbox connect",
            ]
          ) assert.ok(text.includes(part), `${part} in ${text}`);
          assert.equal(await page.innerText("#state"), "Live");
          if (colorScheme === "light" && viewport.width > 1000) {
            await until(
              async () => (await page.getAttribute("svg.rate path", "d"))?.includes("L"),
              "a second sample of the rate",
            );
          }
          const charts = await page.locator("figure svg").evaluateAll((all) =>
            all.map((svg) => ({
              areas: svg.querySelectorAll("path.area").length,
              label: svg.getAttribute("aria-label") ?? "",
            }))
          );
          assert.deepEqual(charts.map(({ areas }) => areas), [2, 1]);
          assert.match(charts[1].label, /^clients \d+ now; the scale ends at 200$/);
          const width = await page.evaluate("document.documentElement.scrollWidth");
          assert.ok(width as number <= viewport.width, `${width} px on ${viewport.width}`);
          const back = await page.evaluate("getComputedStyle(document.body).backgroundColor");
          assert.equal(back, colorScheme === "dark" ? "rgb(18, 22, 28)" : "rgb(246, 247, 249)");
          const folder = Deno.env.get("SCREENSHOTS");
          if (folder) {
            await page.screenshot({
              path: `${folder}/${colorScheme}-${viewport.width}.png`,
              fullPage: true,
            });
          }
          assert.deepEqual(problems, []);
          await context.close();
        }
      }
    } finally {
      await browser.close();
      await server.close();
    }
  },
});
