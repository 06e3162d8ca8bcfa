import { UnreadableFile } from './unreadable-file.ts';

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** Larger chunks are cut, so that memory does not depend on the source. */
const CHUNK_BYTES = 65_536;
const BOM_BYTES_MAX = 3;

/**
 * Decodes UTF-8 with or without a byte order mark, and UTF-16 with one. Other bytes, and a NUL, are refused and never guessed at: a NUL is what UTF-16
 * without a mark looks like.
 *
 * @throws UnreadableFile BAD_ENCODING with the offset of the byte that does not fit, TOO_LARGE
 */
export async function* decoded(bytes: AsyncIterable<Uint8Array>, fileBytesMax: number): AsyncGenerator<string> {
  let encoding: Encoding | null = null;
  let pending: Uint8Array = new Uint8Array();
  let offset = 0;
  for await (const { chunk, last } of cut(bytes, fileBytesMax)) {
    let data = joined(pending, chunk);
    if (encoding === null) {
      if (data.length < BOM_BYTES_MAX && !last) {
        pending = data;
        continue;
      }
      const mark = byteOrderMark(data);
      encoding = mark.encoding;
      data = data.subarray(mark.bytes);
      offset = mark.bytes;
    }
    const whole = data.subarray(0, last ? data.length : data.length - incomplete(data, encoding));
    yield textOf(whole, encoding, offset);
    pending = data.slice(whole.length);
    offset += whole.length;
  }
}

async function* cut(bytes: AsyncIterable<Uint8Array>, fileBytesMax: number) {
  let total = 0;
  for await (const chunk of bytes) {
    total += chunk.length;
    if (total > fileBytesMax) {
      throw new UnreadableFile('TOO_LARGE', `The file has more than ${fileBytesMax} bytes.`);
    }
    for (let start = 0; start < chunk.length; start += CHUNK_BYTES) {
      yield { chunk: chunk.subarray(start, start + CHUNK_BYTES), last: false };
    }
  }
  yield { chunk: new Uint8Array(), last: true };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  return first.length === 0 ? second : Buffer.concat([first, second]);
}

function byteOrderMark([first, second, third]: Uint8Array): { encoding: Encoding; bytes: number } {
  if (first === 0xef && second === 0xbb && third === 0xbf) {
    return { encoding: 'utf-8', bytes: 3 };
  }
  if (first === 0xff && second === 0xfe) {
    return { encoding: 'utf-16le', bytes: 2 };
  }
  return first === 0xfe && second === 0xff ? { encoding: 'utf-16be', bytes: 2 } : { encoding: 'utf-8', bytes: 0 };
}

/** Returns how many bytes at the end are the beginning of a character whose rest is in the next chunk. */
function incomplete(data: Uint8Array, encoding: Encoding): number {
  return encoding === 'utf-8' ? incompleteUtf8(data) : incompleteUtf16(data, encoding);
}

function incompleteUtf8(data: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, data.length); back += 1) {
    const byte = data[data.length - back] ?? 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
    if (byte < 0x80) {
      return 0;
    }
  }
  return 0;
}

function incompleteUtf16(data: Uint8Array, encoding: Encoding): number {
  const odd = data.length % 2;
  const high = data[data.length - odd - (encoding === 'utf-16le' ? 1 : 2)] ?? 0;
  return high >= 0xd8 && high <= 0xdb ? odd + 2 : odd;
}

function textOf(bytes: Uint8Array, encoding: Encoding, offset: number): string {
  const text = decodedOrNull(bytes, encoding, false);
  const valid = text === null ? firstInvalid(bytes, encoding) : bytes.length;
  const read = text ?? decodedOrNull(bytes.subarray(0, valid), encoding, true) ?? '';
  const nul = read.indexOf('\0');
  if (nul !== -1) {
    throw badEncoding(offset + (encoding === 'utf-8' ? Buffer.byteLength(read.slice(0, nul)) : nul * 2));
  }
  if (text === null) {
    throw badEncoding(offset + valid);
  }
  return text;
}

function decodedOrNull(bytes: Uint8Array, encoding: Encoding, stream: boolean): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes, { stream });
  } catch {
    return null;
  }
}

/** Finds the shortest beginning that nothing could complete; its last byte is the one that does not fit. */
function firstInvalid(bytes: Uint8Array, encoding: Encoding): number {
  let valid = 0;
  let invalid = bytes.length + 1;
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2);
    if (decodedOrNull(bytes.subarray(0, middle), encoding, true) === null) {
      invalid = middle;
    } else {
      valid = middle;
    }
  }
  return valid;
}

function badEncoding(byteOffset: number): UnreadableFile {
  const message = `The file is neither UTF-8 nor UTF-16 with a byte order mark: byte ${byteOffset} does not fit.`;
  return new UnreadableFile('BAD_ENCODING', message, { byteOffset });
}
