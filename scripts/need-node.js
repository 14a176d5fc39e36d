// Plain JavaScript on purpose: it also runs on a Node that can not run the rest of the checkout.
import { isPreferred } from "../bin/runtime.js"

if (!isPreferred(process.versions.node)) {
  process.stderr.write(
    `weft: this script needs Node 22.19 or a later 22, found Node ${process.versions.node}; ` +
      "`npm ci` without --omit=optional and --ignore-scripts brings one, first in the PATH of npm scripts\n"
  )
  process.exit(1)
}
