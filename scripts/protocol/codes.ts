/** The tables of codes, for programs in other languages. */
import { closeCodes, errorCodes } from "../../src/wire/index.ts"

export const codeTables = () => ({
  errors: Object.entries(errorCodes).map(([code, info]) => ({ code, ...info })),
  closes: Object.entries(closeCodes).map(([code, info]) => ({ code: Number(code), ...info }))
})
