import { tmpdir } from "node:os"
import { join } from "node:path"
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    setupFiles: ["./test/support/setup.ts"],
    include: ["test/**/*.test.ts"],
    // A process per file: uWebSockets.js is a native addon, and a test that leaks a handle hurts only itself.
    pool: "forks",
    // One more than the cores of a small machine: many tests wait for processes and timers.
    maxWorkers: 3,
    // Generous on purpose. Tests wait for conditions; these limits only end one that hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    // Many tests start the server as a process: what it compiles is kept for the next one.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "weft-test-compile-cache") },
    reporters: ["default", "./scripts/summary-reporter.ts"]
  }
})
