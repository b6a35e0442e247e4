// The files of deploy/ and .github/ are well-formed, and name existing things.
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { metricsOf } from "../../src/monitor/metrics.ts";
import { fakeSource } from "../monitor/fake_source.ts";
import { peerTest } from "../peers/peers.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

/** Paths of the files below a folder. */
function filesOf(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesOf(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

/** The documents of a YAML file. Keys that stand twice and the like throw. */
function yaml(path: string): unknown[] {
  return [...parseAllDocuments(read(path))].map((document) => {
    assert.deepEqual(document.errors.concat(document.warnings), [], path);
    return document.toJS();
  });
}

Deno.test("Every YAML file of deploy and .github parses", () => {
  const files = [...filesOf("deploy"), ...filesOf(".github")].filter((path) =>
    /\.ya?ml$/.test(path)
  );
  assert.ok(files.length >= 7, files.join(", "));
  for (const path of files) assert.ok(yaml(path).every((value) => typeof value === "object"), path);
});

Deno.test("The Kubernetes sample requests /health on a port that its configuration opens", () => {
  // deno-lint-ignore no-explicit-any
  const [config, , deployment] = yaml("deploy/kubernetes.yaml") as any[];
  const [container] = deployment.spec.template.spec.containers;
  const { containerPort } = container.ports.find(({ name }: { name: string }) =>
    name === container.livenessProbe.httpGet.port
  );
  assert.match(
    config.data["CumulusServer.ini"],
    new RegExp(`\\[http\\]\nport = ${containerPort}\naddress = 0.0.0.0\n`),
  );
  assert.equal(container.livenessProbe.httpGet.path, "/health");
});

Deno.test("docs/systemd.md shows the shipped unit", () => {
  assert.ok(read("docs/systemd.md").includes("```ini\n" + read("deploy/cumulus.service") + "```"));
});

Deno.test("The dashboard and alerts query only metrics that the server exports", () => {
  const known = new Set(
    [...metricsOf(fakeSource()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
  );
  for (const path of ["deploy/grafana/cumulus.json", "deploy/prometheus/alerts.yaml"]) {
    const named = [...read(path).matchAll(/\b(?:cumulus|process)_[a-z_]+/g)].map(([name]) => name);
    assert.ok(named.length > 4, path);
    for (const name of named) assert.ok(known.has(name), `${path}: ${name}`);
  }
  assert.ok(JSON.parse(read("deploy/grafana/cumulus.json")).panels.length >= 6);
});

Deno.test("Workflows name the major version of each action", () => {
  for (const path of filesOf(".github/workflows")) {
    const uses = [...read(path).matchAll(/uses: (\S+)/g)].map(([, action]) => action);
    assert.ok(uses.length > 0, path);
    for (const action of uses) assert.match(action, /^[\w-]+\/[\w-]+@v\d+$/, path);
  }
});

/** The instructions of the Dockerfile, each on one line. */
const instructions = () =>
  read("Dockerfile").replaceAll("\\\n", " ").split("\n").filter((line) => /^[A-Z]+ /.test(line));
const instructionsOf = (name: string) =>
  instructions().filter((line) => line.startsWith(`${name} `));

Deno.test("The Dockerfile builds from images with registry and tag, and runs as a numeric user", () => {
  const stages = new Set<string>();
  for (const from of instructionsOf("FROM")) {
    const [, image, , stage] = /^FROM (?:--\S+ )?(\S+)( AS (\S+))?$/.exec(from)!;
    assert.match(image, /^(docker\.io|gcr\.io)\/\S+\/\S+:\S+$/, from);
    if (stage) stages.add(stage);
  }
  for (const copy of instructionsOf("COPY")) {
    const from = /--from=(\S+)/.exec(copy)?.[1];
    if (from) assert.ok(stages.has(from), copy);
  }
  assert.deepEqual(instructionsOf("USER"), ["USER 65532:65532"]);
  for (const label of ["title", "description", "licenses"]) {
    assert.ok(instructionsOf("LABEL")[0].includes(`org.opencontainers.image.${label}=`), label);
  }
});

Deno.test("The Dockerfile's health check uses only options of podman and old versions of docker", () => {
  const [health] = instructionsOf("HEALTHCHECK");
  const options = [...health.matchAll(/ --([a-z-]+)=/g)].map(([, name]) => name);
  assert.deepEqual(options, ["interval", "timeout", "start-period"]);
  const command = JSON.parse(/ CMD (\[.*\])$/.exec(health)![1]) as string[];
  // No -T: wget of busybox 1.35 crashes on it. The time-out above ends it as well.
  assert.deepEqual(command, ["/wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/cumulus.js"]);
  assert.ok(instructionsOf("COPY").some((copy) => copy.endsWith(" /wget")));
});

interface Workflow {
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, {
    readonly "timeout-minutes": number;
    readonly "runs-on": string;
    readonly steps: { readonly run?: string; readonly uses?: string }[];
  }>;
}

Deno.test("Every workflow sets permissions and a time-out in minutes, and bash parses its steps", async () => {
  const tasks = JSON.parse(read("deno.json")).tasks as Record<string, string>;
  for (const path of filesOf(".github/workflows")) {
    const [{ permissions, jobs }] = yaml(path) as Workflow[];
    assert.ok(permissions.contents, `${path}: permissions`);
    for (const [name, job] of Object.entries(jobs)) {
      assert.ok(job["timeout-minutes"] > 0, `${path}: ${name}`);
      for (const { run } of job.steps) {
        if (run === undefined) continue;
        const script = run.replaceAll(/\$\{\{[^}]*\}\}/g, "x");
        const { success, stderr } = await new Deno.Command("bash", { args: ["-n", "-c", script] })
          .output();
        assert.ok(success, `${path}: ${run}\n${new TextDecoder().decode(stderr)}`);
        for (const [, task] of run.matchAll(/deno task ([\w:]+)/g)) {
          assert.ok(tasks[task], `${path}: ${task}`);
        }
      }
    }
  }
});

Deno.test("The release workflow packs all files that README.md and the pages of deploy/ name", () => {
  const [release] = yaml(".github/workflows/release.yaml") as Workflow[];
  const steps = release.jobs.binaries.steps.map(({ run = "" }) => run).join("\n");
  for (const name of ["www", "LICENSE", "NOTICE", "CHANGELOG.md"]) {
    assert.ok(Deno.statSync(new URL(name, root)), name);
    assert.ok(steps.includes(name), name);
  }
  for (const file of ["www.tar.gz", "docs-site.tar.gz", "SHA256SUMS"]) {
    assert.ok(steps.includes(`dist/${file}`), file);
  }
  const image = JSON.stringify(release.jobs.image.steps);
  assert.match(image, /"platforms":"linux\/amd64,linux\/arm64"/);
});

Deno.test("The Dockerfile copies every file that the program consists of", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: root,
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string }[];
  };
  const needed = new Set(
    modules.map(({ specifier }) => specifier)
      .filter((specifier) => specifier.startsWith(root.href))
      .map((specifier) => specifier.slice(root.href.length).split("/")[0]),
  );
  const copied = [...read("Dockerfile").matchAll(/^COPY (?!--)(.*) \S+$/gm)].flatMap(([, names]) =>
    names.split(" ")
  );
  assert.ok(needed.has("src") && needed.has("clients"), [...needed].join(", "));
  assert.deepEqual([...needed].filter((name) => !copied.includes(name)), []);
});

peerTest("promtool accepts the alert rules, and their test passes", ["promtool"], promtool);

peerTest(
  "promtool accepts names and help of the metrics",
  ["promtool"],
  async () => {
    const child = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(metricsOf(fakeSource())));
    await writer.close();
    const { stdout, stderr } = await child.output();
    const text = new TextDecoder();
    assert.equal(text.decode(stdout) + text.decode(stderr), "");
  },
);

async function promtool(): Promise<void> {
  for (const args of [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]]) {
    const { success, stderr, stdout } = await new Deno.Command("promtool", {
      args,
      cwd: new URL("deploy/prometheus/", root).pathname,
    }).output();
    const text = new TextDecoder();
    assert.ok(success, text.decode(stdout) + text.decode(stderr));
  }
}
