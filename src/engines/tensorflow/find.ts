/** Where TensorFlow's addon is: in the project that the command runs in, beside tsym itself, or where tsym installs it. Looks only. */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

/** A package with a built addon. */
export interface Installation {
  /** The package's folder. */
  readonly folder: string;
  /** The addon's file. */
  readonly addon: string;
  readonly variant: "cpu" | "gpu";
  /** Whether tsym itself installed it. */
  readonly own: boolean;
}

/** Its two packages, as npm names them. */
export const PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

/** Where tsym keeps engines, as the XDG base directory specification has it; undefined without a home. */
export function dataFolder(): string | undefined {
  const { XDG_DATA_HOME: data = "", HOME: home = "" } = process.env;
  const folder = isAbsolute(data) ? data : isAbsolute(home) ? join(home, ".local", "share") : undefined;
  return folder && join(folder, "tsym");
}

/** The folder that holds what `tsym engines install tensorflow` makes. */
export const ownFolder = (): string | undefined => {
  const data = dataFolder();
  return data && join(data, "tensorflow");
};

/** The first that is built: a project's own before tsym's. One for GPUs where one is wanted, if there is any. */
export function findInstallation(device?: "cpu" | "gpu"): Installation | undefined {
  const found = packageFolders().flatMap((folder) => {
    const addon = addonIn(folder);
    return addon ? [installation(folder, addon)] : [];
  });
  return (device === "gpu" ? found.find(({ variant }) => variant === "gpu") : undefined) ?? found[0];
}

/** Packages that are there, but whose addon was never built, as npm leaves them where install scripts are off. */
export const unbuiltPackages = (): string[] =>
  packageFolders().filter((folder) => existsSync(join(folder, "package.json")) && !addonIn(folder));

function installation(folder: string, addon: string): Installation {
  const own = ownFolder();
  const isGpu = folder.endsWith("-gpu") || existsSync(join(folder, "deps", "nvidia"));
  return {
    folder,
    addon,
    variant: isGpu ? "gpu" : "cpu",
    own: own !== undefined && folder.startsWith(join(own, "node_modules")),
  };
}

/** Every folder where a package may be, the nearest first. */
function packageFolders(): string[] {
  const [, command = ""] = process.argv;
  const own = ownFolder();
  const beside = existsSync(command) ? upFrom(dirname(realpathSync(command))) : [];
  const roots = [...upFrom(process.cwd()), ...beside, ...(own ? [own] : [])];
  return [...new Set(roots)].flatMap((root) => PACKAGES.map((name) => join(root, "node_modules", name)));
}

/** A folder and all that it lies in. */
function upFrom(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upFrom(above)];
}

/** The addon for this Node: of those built for several versions of Node-API the latest that it knows. */
function addonIn(folder: string): string | undefined {
  const versions = entriesOf(join(folder, "lib"))
    .map((name) => Number(/^napi-v(\d+)$/.exec(name)?.[1]))
    .filter((version) => version <= Number(process.versions["napi"]));
  const addons = versions.sort((a, b) => b - a).map((v) => join(folder, "lib", `napi-v${v}`, "tfjs_binding.node"));
  return addons.find((addon) => existsSync(addon));
}

/** What lies in a folder: nothing where there is none, or none that may be read. */
function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
