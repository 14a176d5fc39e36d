import { Parser } from "@asyncapi/parser"

/** What AsyncAPI's own parser finds wrong with the document: errors and warnings. It needs no network. */
export const asyncapiProblems = async (text: string): Promise<ReadonlyArray<string>> => {
  const { diagnostics } = await new Parser().parse(text)
  return diagnostics
    .filter(({ severity }) => severity <= 1)
    .map(({ path, message, code }) => `${path.join("/")}: ${message} (${String(code)})`)
}
