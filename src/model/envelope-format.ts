/*
 * The numbers and words of the proxy's envelope. Apart from its schema, so that the client library reads them
 * without carrying a schema library to whoever installs it.
 */

/** The only version there is; a reader refuses any other. */
export const ENVELOPE_VERSION = 1;
/** What the version stands for; part of what is signed, so that no other meaning can be given to the bytes. */
export const ENVELOPE_SUITE = "ML-KEM-768+HKDF-SHA-256+AES-256-GCM+ML-DSA-65+HMAC-SHA-512";
/** The ML-DSA-65 context string (FIPS 204): a signature made for anything else never verifies here. */
export const ENVELOPE_CONTEXT = "sluice/proxy-envelope/v1";
/** HKDF-SHA-256 `info` of the AES-256-GCM key and of the HMAC-SHA-512 key; salt is the KEM ciphertext. */
export const ENVELOPE_ENCRYPTION_INFO = "sluice/proxy-envelope/v1/aes-256-gcm";
export const ENVELOPE_MAC_INFO = "sluice/proxy-envelope/v1/hmac-sha-512";
/** Bytes of the two derived keys: AES-256, and HMAC-SHA-512 with a key as long as its result (RFC 2104, section 3). */
export const ENVELOPE_ENCRYPTION_KEY_BYTES = 32;
export const ENVELOPE_MAC_KEY_BYTES = 64;
/** Bytes of each part (FIPS 203 table 3, FIPS 204 table 2, SP 800-38D, RFC 4231). */
export const KEM_PUBLIC_KEY_BYTES = 1_184;
export const KEM_CIPHERTEXT_BYTES = 1_088;
export const SIGNATURE_BYTES = 3_309;
export const SIGNATURE_PUBLIC_KEY_BYTES = 1_952;
export const MAC_BYTES = 64;
export const ENVELOPE_NONCE_BYTES = 12;
/** How long an envelope may be opened after it was made. */
export const ENVELOPE_LIFETIME_SECONDS = 300;
