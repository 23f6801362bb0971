/** What a machine must have before anything is downloaded: a compiler, Python, room. */
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { run } from "./run.ts";

/** What is missing, and what to do about it. */
export interface Missing {
  readonly what: string;
  readonly help: string;
}

/** The programs that build an addon, each with the one that is run, as a shell's words, and where it comes from. */
const TOOLS: readonly { readonly title: string; readonly program: () => string; readonly help: string }[] = [
  { title: "npm", program: () => "npm", help: "it comes with Node" },
  {
    title: "a C++ compiler",
    program: () => process.env["CXX"] || (process.platform === "linux" ? "g++" : "c++"),
    help: "on Debian and Ubuntu `apt install g++`, on Fedora `dnf install gcc-c++`, on macOS `xcode-select --install`",
  },
  { title: "make", program: () => process.env["MAKE"] || "make", help: "on Debian and Ubuntu `apt install make`" },
  { title: "tar", program: () => "tar", help: "on Debian and Ubuntu `apt install tar`" },
  {
    title: "Python 3",
    program: () => python(),
    help: "node-gyp builds with it: on Debian and Ubuntu `apt install python3`",
  },
];

/** The Python that node-gyp would take, too. */
export const python = (): string => process.env["PYTHON"] || "python3";

/** Every tool that is not there. */
export async function missingTools(): Promise<Missing[]> {
  const found = await Promise.all(TOOLS.map((tool) => isThere(tool.program())));
  return TOOLS.flatMap(({ title, program, help }, i) =>
    found[i] ? [] : [{ what: `${title} (\`${program()}\`)`, help }],
  );
}

async function isThere(command: string): Promise<boolean> {
  const [program = "", ...args] = command.trim().split(/\s+/);
  return (await run(program, [...args, "--version"])).status === 0;
}

/** pip, which finds wheels where the user's own configuration has them. */
export async function missingPip(): Promise<Missing[]> {
  const { status } = await run(python(), ["-m", "pip", "--version"]);
  if (status === 0) return [];
  return [
    {
      what: `pip (\`${python()} -m pip\`)`,
      help: "on Debian and Ubuntu `apt install python3-pip`, else `python3 -m ensurepip`",
    },
  ];
}

/** Whether there are `bytes` of room where `folder` is, or will be. */
export function missingRoom(folder: string, bytes: number): Missing[] {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  const { bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  if (free >= bytes) return [];
  return [
    {
      what: `room: ${gigabytes(bytes)} are needed in ${folder}, ${gigabytes(free)} are free`,
      help: "XDG_DATA_HOME may name a folder elsewhere",
    },
  ];
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
