/**
 * uWebSockets.js reads this when it is loaded, so that this module has to be imported before it. Its own 4 KiB of headers
 * for one request are fewer than a token may have.
 */
process.env["UWS_HTTP_MAX_HEADERS_SIZE"] ??= "16384"
