/** `assets/msgpack.js` is a classic script and leaves the library here. */
declare const MessagePack: typeof import("@msgpack/msgpack")
