// Where things lie in the memory, in bytes. What the caller writes or reads is exported by `one-pass.ts`.

/** Round constants and states of `sha256.wasm`, which shares the memory; texts of this program follow from 2,048. */
export const STATE: usize = 1_024;

/** `"tenant_id":"…"`, with an id of at most 128 characters. */
export const TENANT: usize = 4_096;
/** `"timestamp":"…"`: the time of receipt. */
export const RECEIVED: usize = 5_120;
/** `"id":"evt_…"`: the one that an event gets. */
export const OWN_ID: usize = 5_184;
/** `"actor_type":"USER"` and `"outcome":"SUCCESS"`. */
export const ACTOR_TYPE: usize = 5_248;
export const OUTCOME: usize = 5_312;

/** Pieces of an event's text between white space: where, and how many bytes. */
export const PIECES: usize = 8_192;
export const MAX_PIECES: i32 = 6_000;
export const PIECE: usize = 8;

/** Of each line: where it ends (four bytes), and its event's time in ms (eight). */
export const ENDS: usize = 57_344;
export const TIMES: usize = 61_440;
/** Ids, a line break after each. */
export const IDS: usize = 69_632;

/** Canonical forms on their way to the hash, four side by side. */
export const LANES: usize = 200_704;
export const STRIDE: usize = 65_536;

/** Members of the objects that are open, and elements of the lists. */
export const MEMBERS: usize = 462_848;
export const MEMBER: usize = 32;
/** Most of one object and of one list. */
export const MAX_MEMBERS: usize = 64;
export const MAX_ELEMENTS: usize = 256;

/** Canonical forms of what is nested, and of texts that are spelt otherwise. */
export const ARENA: usize = 602_112;
export const ARENA_END: usize = 1_048_000;

/** The body; behind it, the lines. */
export const INPUT: usize = 1_048_576;
/** Read and written beyond an end, since whatever is copied or compared is so in steps of 16 bytes. */
export const SLACK: usize = 64;
