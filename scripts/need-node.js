// Plain JavaScript on purpose: it also runs on a Node that can not run the rest of the checkout.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major !== 22 || minor < 19) {
  const text =
    `weft: this script needs Node 22.19 or a later 22, and found ${process.version}. ` +
    "`npm ci` (without --omit=optional) brings one and puts it first in the PATH of npm scripts."
  process.stderr.write(`${text}\n`)
  process.exit(1)
}
