// The page in a real browser: light and dark, on a wide screen, a small one and a phone. SCREENSHOTS
// names a folder for pictures of it.
import assert from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { Monitor } from "../../src/monitor/handler.ts";
import type { MonitorSource } from "../../src/monitor/snapshot.ts";
import { serveHttp } from "../../src/net/http.ts";
import { browserPath } from "../support/browser.ts";
import { TestBrowser } from "../support/test_browser.ts";
import { until } from "../support/wait.ts";
import { fakeSource } from "./fake_source.ts";

const path = browserPath("the page");
const WIDTHS = [1280, 820, 375];

/** A server on which one application has stopped, another has just failed, and the loop was late. */
function troubledSource(): MonitorSource {
  const source = fakeSource();
  const status = source.status.bind(source);
  source.status = () => ({ ...status(), loop: { lagMean: 3, lagWorst: 250 } });
  const applications = source.applications();
  source.applications = () => [
    ...applications,
    {
      ...applications[1],
      path: "/lobby",
      running: false,
      lastError: { at: Date.now() - 1000, text: "lobby/main.lua:7: unexpected symbol" },
    },
    { ...applications[1], path: "/game", lastError: { at: Date.now() - 1000, text: "just now" } },
  ];
  return source;
}

async function withPage(
  browser: TestBrowser,
  port: number,
  options: BrowserContextOptions,
  action: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await browser.newPage(options);
  page.on("dialog", (dialog) => {
    browser.problems.push("a script of a stream's name ran");
    dialog.dismiss();
  });
  try {
    await page.goto(`http://127.0.0.1:${port}/`);
    await action(page);
  } finally {
    await page.context().close();
    assert.deepEqual(browser.problems, []);
  }
}

const logIn = async (page: Page, token = "s3cret") => {
  await page.fill("#token", token);
  await page.click("#login button");
};

Deno.test({
  name: "the status page shows the server's figures in Chromium",
  ignore: path === undefined,
  sanitizeResources: false,
  sanitizeOps: false,
  async fn(t) {
    const monitor = new Monitor({
      source: troubledSource(),
      token: "s3cret",
      hosts: [],
      restart: () => {},
      healthy: () => true,
    });
    const server = await serveHttp(
      { hostname: "127.0.0.1", port: 0 },
      (request) => monitor.handle(request),
    );
    try {
      await using browser = await TestBrowser.launch(path);
      await t.step("the login form distinguishes a missing token from a wrong one", async () => {
        await withPage(browser, server.port, {}, async (page) => {
          await page.getByText("Token required.").waitFor();
          assert.equal(await page.isVisible("main"), false);
          await logIn(page, "wrong");
          await page.getByText("Wrong token.").waitFor();
          await logIn(page);
          await page.waitForSelector("#publications td");
          assert.equal(await page.isVisible("#login"), false);
        });
      });

      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of WIDTHS) {
          await t.step(
            `the ${colorScheme} status page shows every part within a width of ${width} px`,
            async () => {
              const viewport = { width, height: 900 };
              await withPage(browser, server.port, { colorScheme, viewport }, async (page) => {
                await logIn(page);
                await page.waitForSelector("#publications td");
                await shows(page);
                const taken = await page.evaluate("document.documentElement.scrollWidth");
                assert.ok(taken as number <= width, `${taken} px on ${width}`);
                const back = await page.evaluate("getComputedStyle(document.body).backgroundColor");
                const expected = colorScheme === "dark" ? "rgb(16, 20, 26)" : "rgb(244, 246, 249)";
                assert.equal(back, expected);
                const folder = Deno.env.get("SCREENSHOTS");
                if (folder) {
                  const file = `${folder}/${colorScheme}-${width}.png`;
                  await page.screenshot({ path: file, fullPage: true });
                }
              });
            },
          );
        }
      }

      await t.step(
        "the page labels the axis of a chart of two samples with round times at even distances",
        async () => {
          await withPage(browser, server.port, {}, async (page) => {
            const json = { interval: 10_000, bytesIn: [1, 2], bytesOut: [1, 2], clients: [1, 2] };
            await page.route("**/api/history", (route) => route.fulfill({ json }));
            await logIn(page);
            await page.waitForSelector("#publications td");
            const times = await page.locator(".axis").first().locator("span").allInnerTexts();
            assert.deepEqual(times, ["6 min ago", "4 min ago", "2 min ago", "now"]);
          });
        },
      );

      await t.step(
        "the page shows the connections of a door, and the number of connections without an application",
        async () => {
          await withPage(browser, server.port, {}, async (page) => {
            await logIn(page);
            await page.waitForSelector("#doors dd");
            const text = await page.locator("#doors dd").first().innerText();
            assert.equal(text, "5 connections, 1 of them in no application, 1.0 MB in, 20 MB out");
          });
        },
      );

      await t.step("the page shows streams, lookups and dropped messages of the bus", async () => {
        await withPage(browser, server.port, {}, async (page) => {
          await logIn(page);
          await page.waitForSelector("#bus dd");
          const text = (await page.locator("#bus").innerText()).replace(/\s+/g, " ");
          for (
            const part of [
              "NATS connected",
              "2 from other servers, 1 to them",
              "7, 4 found, 3 not",
              "another server 1",
              "3 with frames, 0 others",
              "Not read 1",
            ]
          ) assert.ok(text.includes(part), `${part} in ${text}`);
        });
      });

      await t.step("the page lists failures at the top, marked red or amber", async () => {
        await withPage(browser, server.port, {}, async (page) => {
          await logIn(page);
          await page.waitForSelector("#problems li");
          const problems = await page.locator("#problems li").evaluateAll((all) =>
            all.map((li) => `${li.className}: ${li.textContent}`)
          );
          assert.deepEqual(problems.map((text) => text.split(/[:,] /, 2).join(": ")), [
            "bad: Application /lobby has stopped",
            "bad: No link to 10.0.0.3:1936",
            "bad: Relay of camera to rtmps://a.example/live2/… is down",
            "warn: The event loop was 250 ms late",
            "warn: Application /game had an error 1 s ago",
          ]);
          const rows = page.locator("#applications tbody tr");
          const marks = await rows.evaluateAll((all) =>
            all.map((tr) => `${tr.querySelector("td")!.textContent} ${tr.className}`.trim())
          );
          assert.deepEqual(marks, ["/", "/game bad", "/live warn", "/lobby bad"]);
          assert.equal(await page.getAttribute("#state", "class"), "bad");
          assert.equal(await page.locator(".tile.warn b").innerText(), "250.0 ms");
        });
      });

      await t.step("the page sorts and filters among all rows that the server has", async () => {
        await withPage(browser, server.port, {}, async (page) => {
          await logIn(page);
          const first = () => page.locator("#clients tbody tr").first().innerText();
          await page.click("#clients th:has-text('Ping') button");
          await until(async () => (await first()).includes("149 ms"), "the greatest ping");
          assert.equal(
            await page.getAttribute("#clients th:has-text('Ping')", "aria-sort"),
            "descending",
          );
          await page.click("#clients th:has-text('Ping') button");
          await until(async () => (await first()).includes("192.0.2.0:1000"), "the least ping");
          await page.fill("#clients input", "192.0.2.14");
          const count = () => page.locator("#clients tbody tr").count();
          await until(async () => await count() === 11, "14 and 140 to 149");
          await page.fill("#clients input", "nobody has this");
          await page.getByText("No row contains this text.").waitFor();
          assert.equal(await page.inputValue("#clients input"), "nobody has this");
        });
      });

      await t.step(
        "the page shows rows as cards on a phone, and sorts them by a list",
        async () => {
          const viewport = { width: 375, height: 700 };
          await withPage(browser, server.port, { viewport }, async (page) => {
            await logIn(page);
            await page.waitForSelector("#clients td");
            assert.equal(await page.isVisible("#clients thead"), false);
            const label = await page.evaluate(
              `getComputedStyle(document.querySelectorAll("#clients td")[3], "::before").content`,
            );
            assert.equal(label, '"Ping"');
            await page.selectOption("#clients select", "-ping");
            const first = () => page.locator("#clients tbody tr").first().innerText();
            await until(async () => (await first()).includes("149 ms"), "the greatest ping");
          });
        },
      );

      await t.step("the help page explains the figures, and links back", async () => {
        await withPage(browser, server.port, {}, async (page) => {
          await page.click("nav a:has-text('Help')");
          await page.getByText("Help for the status page").first().waitFor();
          await page.click("nav a:has-text('Back')");
          await page.getByText("Token required.").waitFor();
        });
      });
    } finally {
      await server.close();
    }
  },
});

async function shows(page: Page): Promise<void> {
  const text = await page.innerText("main");
  for (
    const part of [
      "camera",
      "1.1 Mb/s",
      "192.0.2.77:1935",
      "H.264, AAC",
      "1920 × 1080",
      "recorded as cam, 12 MB, 1 min",
      "rtmfp 30, http 10, server 1",
      "<img src=x onerror=alert(1)>",
      "and 100 more",
      "attempt to call a nil value",
      "not linked",
      "rtmfp.example:1935",
      "nothing has reached this server from another machine yet",
      "bad checksum",
      "rtmps://a.example/live2/…",
      "refused: NetStream.Publish.BadName",
      "sandbox connect",
    ]
  ) assert.ok(text.includes(part), `${part} in ${text}`);
  assert.equal(await page.innerText("#state"), "Live");
  const charts = await page.locator("figure svg").evaluateAll((all) =>
    all.map((svg) => ({
      areas: svg.querySelectorAll("path.area").length,
      label: svg.getAttribute("aria-label") ?? "",
    }))
  );
  assert.deepEqual(charts.map(({ areas }) => areas), [2, 1]);
  assert.match(charts[1].label, /^clients \d+ now; the scale ends at 200$/);
  const sparks = await page.locator("#publications svg.rate").evaluateAll((all) =>
    all.map((svg) => svg.querySelectorAll("path.area").length)
  );
  assert.deepEqual(sparks, [0, 1], "a filled area where rates are known");
}
