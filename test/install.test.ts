/** Installing TensorFlow, up to the network: downloads that go on, what is taken out of wheels, what runs find. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { findInstallation, unbuiltPackages } from "../src/engines/tensorflow/find.ts";
import { DownloadError, download, isReachable } from "../src/install/download.ts";
import { install, readyInstallation, uninstall } from "../src/install/install.ts";
import { OFFICIAL, type Part, TFJS, WHEELS, type Wheel } from "../src/install/parts.ts";
import { Progress } from "../src/install/progress.ts";
import { missingRoom, missingTools } from "../src/install/requirements.ts";
import { unpackWheel } from "../src/install/unpack.ts";
import { writeNpz } from "../src/io/npz.ts";
import { tensorOf } from "../src/tensor/tensor.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsym-install-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251));
const PART: Part = {
  title: "a file",
  file: "file.bin",
  hash: ["sha256", createHash("sha256").update(CONTENT).digest("hex")],
  size: CONTENT.length,
  unpacked: 0,
};

/** A server of this machine, for as long as `work` takes. */
async function serving(listener: RequestListener, work: (url: string) => Promise<void>): Promise<void> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("a download", () => {
  const path = () => join(folder, "file.bin");
  /** Sends at most `most` bytes an answer, then breaks the connection; keeps what was asked for. */
  const breakingOff =
    (most: number, asked: string[]): RequestListener =>
    (request, response) => {
      const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
      asked.push(request.headers.range ?? "all");
      const rest = CONTENT.subarray(Number(from ?? 0));
      response.writeHead(from === undefined ? 200 : 206, { "content-length": rest.length });
      response.write(rest.subarray(0, most), () => (rest.length > most ? response.destroy() : response.end()));
    };

  test("goes on where it broke off", async () => {
    const asked: string[] = [];
    await serving(breakingOff(100_000, asked), (url) => download(url, path(), PART, () => {}));
    expect(readFileSync(path()).equals(CONTENT)).toBe(true);
    expect(asked[0]).toBe("all");
    expect(asked.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range))).toBe(true);
    expect(existsSync(`${path()}.part`)).toBe(false);
  });

  test("goes on with what an earlier run left, and tells how far it is", async () => {
    writeFileSync(`${path()}.part`, CONTENT.subarray(0, 250_000));
    const asked: string[] = [];
    const told: (readonly [bytes: number, of: number])[] = [];
    await serving(breakingOff(1e9, asked), (url) => download(url, path(), PART, (bytes, of) => told.push([bytes, of])));
    expect(asked).toEqual(["bytes=250000-"]);
    expect(told.at(-1)).toEqual([CONTENT.length, CONTENT.length]);
    expect(readFileSync(path()).equals(CONTENT)).toBe(true);
  });

  test("is not made again", async () => {
    writeFileSync(path(), CONTENT);
    await download("http://127.0.0.1:1/", path(), PART, () => {});
  });

  test("starts anew where the server sends all of it", async () => {
    writeFileSync(`${path()}.part`, CONTENT.subarray(5, 250_000));
    await serving(
      (_, response) => response.end(CONTENT),
      (url) => download(url, path(), PART, () => {}),
    );
    expect(readFileSync(path()).equals(CONTENT)).toBe(true);
  });

  test("of something else is refused, and nothing of it stays", async () => {
    await serving(
      (_, response) => response.end(Buffer.alloc(300_000)),
      async (url) => {
        await expect(download(url, path(), PART, () => {})).rejects.toThrow(
          /file\.bin is not the file.*sha256 differs/,
        );
      },
    );
    expect(existsSync(path()) || existsSync(`${path()}.part`)).toBe(false);
  });

  test("of what is not there is refused", async () => {
    await serving(
      (_, response) => response.writeHead(404).end(),
      async (url) => {
        await expect(download(url, path(), PART, () => {})).rejects.toThrow(DownloadError);
        expect(await isReachable(url)).toBe(false);
      },
    );
  });
});

/** A zip file with entries of 300 equal numbers each, the first compressed. */
function zipOf(...names: readonly string[]): Buffer {
  const tensor = tensorOf("int32", [300], new Array(300).fill(7));
  const stored = Buffer.concat([...writeNpz(names.map((name) => ({ name, tensor })))]);
  const start = 30 + `${names[0]}.npy`.length;
  const size = stored.readUInt32LE(22);
  const packed = deflateRawSync(stored.subarray(start, start + size));
  const [head, tail] = [Buffer.from(stored.subarray(0, start)), Buffer.from(stored.subarray(start + size))];
  head.writeUInt16LE(8, 8);
  head.writeUInt32LE(packed.length, 18);
  const end = tail.length - 22;
  const shift = size - packed.length;
  const directory = tail.readUInt32LE(end + 16) - start - size;
  tail.writeUInt32LE(tail.readUInt32LE(end + 16) - shift, end + 16);
  for (let at = directory, i = 0; i < names.length; i++) {
    if (i === 0) {
      tail.writeUInt16LE(8, at + 10);
      tail.writeUInt32LE(packed.length, at + 20);
    } else tail.writeUInt32LE(tail.readUInt32LE(at + 42) - shift, at + 42);
    at += 46 + tail.readUInt16LE(at + 28);
  }
  return Buffer.concat([head, packed, tail]);
}

test("of a wheel that is taken which is wanted, and put where it is looked for", async () => {
  const path = join(folder, "w.whl");
  writeFileSync(path, zipOf("lib/one.so", "docs/two", "nvidia/x/bin/tool"));
  const wheel: Wheel = {
    ...PART,
    requirement: "w==1",
    python: "3.11",
    platform: "any",
    take: [
      ["lib/", "deps/lib/"],
      ["nvidia/", "deps/nvidia/"],
    ],
  };
  const told: number[] = [];
  await unpackWheel(path, wheel, join(folder, "root"), (bytes, of) => told.push(bytes / of));
  expect(told.at(-1)).toBe(1);
  const [one, tool] = ["deps/lib/one.so.npy", "deps/nvidia/x/bin/tool.npy"].map((file) => join(folder, "root", file));
  expect(readFileSync(one!).subarray(1, 6).toString()).toBe("NUMPY");
  expect(readFileSync(one!)).toEqual(readFileSync(tool!));
  expect(existsSync(join(folder, "root", "docs"))).toBe(false);
});

describe("what is downloaded", () => {
  const parts = [TFJS, ...Object.values(OFFICIAL), ...WHEELS.cpu, ...WHEELS.gpu];
  test.each(parts)("$title has a hash and a size", ({ hash: [algorithm, digest], size, unpacked }) => {
    if (algorithm === "sha256") expect(digest).toMatch(/^[0-9a-f]{64}$/);
    else expect(Buffer.from(digest, "base64")).toHaveLength(64);
    expect(Math.min(size, unpacked)).toBeGreaterThan(0);
  });

  test("no two files have one hash, or one name", () => {
    expect(new Set(parts.map((p) => p.hash[1])).size).toBe(parts.length);
    expect(new Set(parts.map((p) => p.file)).size).toBe(parts.length);
  });

  test("for GPUs is what the wheel of TensorFlow 2.15.1 asks for", () => {
    // Requires-Dist of its METADATA, extra == 'and-cuda'
    const wanted = `nvidia-cublas-cu12==12.2.5.6 nvidia-cuda-cupti-cu12==12.2.142 nvidia-cuda-nvcc-cu12==12.2.140
      nvidia-cuda-nvrtc-cu12==12.2.140 nvidia-cuda-runtime-cu12==12.2.140 nvidia-cudnn-cu12==8.9.4.25
      nvidia-cufft-cu12==11.0.8.103 nvidia-curand-cu12==10.3.3.141 nvidia-cusolver-cu12==11.5.2.141
      nvidia-cusparse-cu12==12.1.2.141 nvidia-nccl-cu12==2.16.5 nvidia-nvjitlink-cu12==12.2.140`.split(/\s+/);
    const [tensorflow, ...libraries] = WHEELS.gpu.map((wheel) => wheel.requirement);
    expect(tensorflow).toBe("tensorflow==2.15.1");
    expect(libraries).toEqual(wanted);
  });
});

describe("a run", () => {
  const root = process.cwd();
  /** An addon built for a version of Node-API. */
  function place(base: string, name: string, napi = 8): string {
    const package_ = join(base, "node_modules", name);
    const addon = join(package_, "lib", `napi-v${napi}`, "tfjs_binding.node");
    mkdirSync(join(addon, ".."), { recursive: true });
    writeFileSync(join(package_, "package.json"), "{}");
    writeFileSync(addon, "");
    return addon;
  }
  beforeEach(() => {
    vi.stubEnv("XDG_DATA_HOME", join(folder, "data"));
    mkdirSync(join(folder, "project", "deep"), { recursive: true });
    process.chdir(join(folder, "project", "deep"));
  });
  afterEach(() => process.chdir(root));
  const own = () => join(folder, "data", "tsym", "tensorflow");
  const project = () => join(process.cwd(), "..");

  test("finds none where none is, and none that is not complete", () => {
    place(join(`${own()}.partial`, "root"), "@tensorflow/tfjs-node");
    expect(findInstallation()).toBeUndefined();
  });

  test("finds none where files stand in the places of folders", () => {
    writeFileSync(join(project(), "node_modules"), "");
    writeFileSync(join(folder, "data"), "");
    expect(findInstallation()).toBeUndefined();
    expect(unbuiltPackages()).toEqual([]);
    rmSync(join(folder, "data"));
    const addon = place(own(), "@tensorflow/tfjs-node");
    expect(findInstallation()).toMatchObject({ addon });
    mkdirSync(join(project(), "deep", "node_modules", "@tensorflow", "tfjs-node"), { recursive: true });
    writeFileSync(join(project(), "deep", "node_modules", "@tensorflow", "tfjs-node", "lib"), "");
    expect(findInstallation()).toMatchObject({ addon });
  });

  test("finds the one that tsym installed", () => {
    const addon = place(own(), "@tensorflow/tfjs-node");
    expect(findInstallation()).toMatchObject({ addon, variant: "cpu", own: true });
    mkdirSync(join(own(), "node_modules", "@tensorflow", "tfjs-node", "deps", "nvidia"), { recursive: true });
    expect(findInstallation()).toMatchObject({ addon, variant: "gpu" });
  });

  test("finds a project's own first, but for a GPU one that is for GPUs", () => {
    const addon = place(project(), "@tensorflow/tfjs-node");
    mkdirSync(join(own(), "node_modules", "@tensorflow", "tfjs-node", "deps", "nvidia"), { recursive: true });
    const other = place(own(), "@tensorflow/tfjs-node");
    expect(findInstallation()).toMatchObject({ addon, variant: "cpu", own: false });
    expect(findInstallation("gpu")).toMatchObject({ addon: other, variant: "gpu" });
    expect(place(project(), "@tensorflow/tfjs-node-gpu")).toBe(findInstallation("gpu")!.addon);
  });

  test("takes the latest Node-API that its Node knows", () => {
    place(project(), "@tensorflow/tfjs-node", 999);
    expect(findInstallation()).toBeUndefined();
    expect(unbuiltPackages()).toHaveLength(1);
    place(project(), "@tensorflow/tfjs-node", 6);
    const addon = place(project(), "@tensorflow/tfjs-node", 8);
    expect(findInstallation()).toMatchObject({ addon });
  });

  test("finds nothing any more when it is uninstalled", async () => {
    place(own(), "@tensorflow/tfjs-node");
    mkdirSync(`${own()}.partial`);
    expect(await uninstall()).toBe(true);
    expect(findInstallation()).toBeUndefined();
    expect(existsSync(`${own()}.partial`)).toBe(false);
    expect(await uninstall()).toBe(false);
  });
});

describe("installing", () => {
  const screen = { interactive: false, report: () => {} };
  const TOOLS = ["npm", "c++", "g++", "make", "tar", "python3"];
  const data = () => join(folder, "data");
  const tool = (name: string) => join(folder, "bin", name);

  /** Tools that know their version and no more, and servers that have everything. */
  beforeEach(() => {
    mkdirSync(join(folder, "bin"));
    for (const name of TOOLS) writeFileSync(tool(name), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    vi.stubEnv("PATH", join(folder, "bin"));
    vi.stubEnv("XDG_DATA_HOME", data());
    for (const name of ["CXX", "MAKE", "PYTHON"]) vi.stubEnv(name, "");
    vi.stubGlobal("fetch", async () => new Response());
  });
  afterEach(() => void vi.unstubAllGlobals());

  test("tells of all tools that are missing at once, and makes no folder", async () => {
    for (const name of ["c++", "g++", "make"]) rmSync(tool(name));
    await expect(install("cpu", screen)).rejects.toMatchObject({
      diagnostics: [
        { message: expect.stringMatching(/without a C\+\+ compiler \(`(g|c)\+\+`\)$/) },
        { message: expect.stringMatching(/without make \(`make`\)$/) },
      ],
    });
    expect(existsSync(data())).toBe(false);
  });

  test("knows a compiler that is named with its arguments", async () => {
    writeFileSync(tool("ccache"), '#!/bin/sh\n[ "$*" = "clang++ --version" ]\n', { mode: 0o755 });
    vi.stubEnv("CXX", "ccache clang++");
    expect(await missingTools()).toEqual([]);
    vi.stubEnv("CXX", "clang++ -m64");
    expect(await missingTools()).toMatchObject([{ what: "a C++ compiler (`clang++ -m64`)" }]);
  });

  test("is refused where a project has one that does not work, which runs would take", async () => {
    const root = process.cwd();
    const package_ = join(folder, "project", "node_modules", "@tensorflow", "tfjs-node");
    mkdirSync(join(package_, "lib", "napi-v8"), { recursive: true });
    writeFileSync(join(package_, "lib", "napi-v8", "tfjs_binding.node"), "no library");
    process.chdir(join(folder, "project"));
    try {
      await expect(readyInstallation("cpu")).rejects.toMatchObject({
        diagnostics: [
          {
            message: expect.stringMatching(
              /^runs in this folder take engine tensorflow from .*, which does not work: /,
            ),
            help: expect.stringMatching(/^`npm rebuild @tensorflow\/tfjs-node` may mend it; /),
          },
        ],
      });
    } finally {
      process.chdir(root);
    }
  });

  test("tells of a folder that is none", async () => {
    writeFileSync(data(), "");
    await expect(install("cpu", screen)).rejects.toThrow(
      `engine tensorflow cannot be installed in ${join(data(), "tsym")}: there is a file in its place`,
    );
  });
});

describe("uninstalling", () => {
  beforeEach(() => vi.stubEnv("XDG_DATA_HOME", folder));
  const own = () => join(folder, "tsym", "tensorflow");

  test("waits for an installation that is at work", async () => {
    mkdirSync(`${own()}.partial`, { recursive: true });
    writeFileSync(join(`${own()}.partial`, "lock"), String(process.ppid));
    await expect(uninstall()).rejects.toThrow(`another installation, process ${process.ppid}, is at work`);
    expect(existsSync(`${own()}.partial`)).toBe(true);
  });
});

test("room that is not there is told with what is", () => {
  expect(missingRoom(join(folder, "not", "yet"), 1)).toEqual([]);
  const [{ what } = { what: "" }] = missingRoom(join(folder, "not", "yet"), 1e18);
  expect(what).toMatch(/^room: 1000000000\.0 GB are needed in .*yet, \d+\.\d GB are free$/);
});

describe("progress", () => {
  const shown = async (interactive: boolean) => {
    let text = "";
    const screen = {
      interactive,
      report: (part: string) => {
        text += part;
      },
    };
    await new Progress(screen).during("a file", async (done) => done(5e6, 5e6));
    return text;
  };
  test("is a line a part where nobody looks on", async () => expect(await shown(false)).toBe("a file: done\n"));
  test("is a bar on a terminal", async () =>
    expect(await shown(true)).toContain(`\r\x1b[Ka file ${"#".repeat(24)} 5 of 5 MB`));
});
