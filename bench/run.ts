/**
 * `npm run bench -- …`: `compare QUESTION…` sets Weft beside other servers, `micro [NAME…]` times single parts, and anything
 * else is `weft bench …`.
 */
const tools: Readonly<Record<string, string>> = { compare: "./compare.ts", micro: "./micro.ts" }

const tool = tools[process.argv[2] ?? ""]
if (tool === undefined) process.argv.splice(2, 0, "bench")
else process.argv.splice(2, 1)
await import(tool ?? "../src/main.ts")
