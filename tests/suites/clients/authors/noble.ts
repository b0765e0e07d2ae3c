import { blake3 } from "PACKAGE/blake3.js";
import { expand, extract, hkdf } from "PACKAGE/hkdf.js";
import { hmac } from "PACKAGE/hmac.js";
import { pbkdf2, pbkdf2Async } from "PACKAGE/pbkdf2.js";
import { scrypt } from "PACKAGE/scrypt.js";
import { sha256, sha512 } from "PACKAGE/sha2.js";
import { keccak_256, sha3_256, shake128 } from "PACKAGE/sha3.js";
import { bytesToHex, concatBytes, hexToBytes, randomBytes, utf8ToBytes } from "PACKAGE/utils.js";

const message: Uint8Array = concatBytes(utf8ToBytes("abc"), hexToBytes("00"), randomBytes(4));
export const digests: string[] = [sha256, sha512, sha3_256, keccak_256].map((hash) => bytesToHex(hash(message)));
export const lengths: number[] = [sha256.blockLen, sha256.outputLen, sha256.create().update(message).digest().length];
export const keyed: Uint8Array = hmac(sha256, message, message);
export const derived: Uint8Array[] = [
  hkdf(sha256, message, undefined, message, 32),
  expand(sha256, extract(sha256, message), message),
  pbkdf2(sha256, "password", "salt", { c: 32, dkLen: 32 }),
  scrypt("password", "salt", { N: 2, r: 8, p: 1, dkLen: 32 }),
  blake3(message, { dkLen: 64, context: message }),
  shake128(message, { dkLen: 32 }),
];
export const later: Promise<Uint8Array> = pbkdf2Async(sha256, "password", "salt", { c: 32, dkLen: 32 });
// @ts-expect-error a digest is not a text
export const wrong: string = sha256(message);
// @ts-expect-error there is no such option
scrypt("password", "salt", { N: 2, r: 8, p: 1, length: 32 });
// @ts-expect-error a function of hashes is needed
hmac("sha256", message, message);
