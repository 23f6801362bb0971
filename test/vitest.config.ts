import { defineConfig } from "vitest/config";
import { vitePlugin } from "../bin/prelude.js";

export default defineConfig({
  plugins: [vitePlugin],
  test: { include: ["test/**/*.test.ts"], root: ".", testTimeout: 60_000 },
});
