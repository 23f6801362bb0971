import { createRequire } from "node:module";
import { defineConfig } from "vitest/config";

// Vite would bundle a plain import, and esbuild cannot be loaded from a bundle.
const { vitePlugin } = createRequire(import.meta.url)("../bin/precompute.js");

export default defineConfig({
  plugins: [vitePlugin],
  test: { include: ["test/**/*.test.ts"], root: ".", testTimeout: 60_000 },
});
