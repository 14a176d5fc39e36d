import { directWay } from "../../compare/table.ts"
import { proxy } from "./proxy.ts"

/** No proxy: what the others add is the difference to this. */
export const contender = proxy({ name: directWay, settings: "no proxy: the load speaks to the backend itself" })
