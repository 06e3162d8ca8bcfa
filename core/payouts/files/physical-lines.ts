/** A line of a file as an editor counts it. */
export interface PhysicalLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** `\n`, `\r\n` or `\r`; empty at the end of the file. */
  readonly end: string;
  /** The line had more characters than allowed and was left out: `text` is empty. */
  readonly tooLong: boolean;
}

/** Cuts text into lines, some at a time. It never holds more than `lineCharsMax` characters and one chunk. */
export async function* physicalLines(
  chunks: AsyncIterable<string>,
  lineCharsMax: number,
): AsyncGenerator<readonly PhysicalLine[]> {
  let number = 0;
  let rest = '';
  let tooLong = false;
  const lineOf = (text: string, end: string): PhysicalLine => {
    const long = tooLong || text.length > lineCharsMax;
    tooLong = false;
    number += 1;
    return { number, text: long ? '' : text, end, tooLong: long };
  };
  for await (const chunk of chunks) {
    const text = rest + chunk;
    const lines: PhysicalLine[] = [];
    let start = 0;
    let [feed, back] = [text.indexOf('\n'), text.indexOf('\r')];
    while (feed !== -1 || back !== -1) {
      const isFeed = back === -1 || (feed !== -1 && feed < back);
      const at = isFeed ? feed : back;
      const end = isFeed ? '\n' : feed === back + 1 ? '\r\n' : '\r';
      // The `\n` of this `\r` may be in the next chunk.
      if (end === '\r' && at + 1 === text.length) {
        break;
      }
      lines.push(lineOf(text.slice(start, at), end));
      start = at + end.length;
      feed = feed !== -1 && feed < start ? text.indexOf('\n', start) : feed;
      back = back !== -1 && back < start ? text.indexOf('\r', start) : back;
    }
    rest = text.slice(start);
    if (rest.length > lineCharsMax + 1) {
      tooLong = true;
      rest = rest.endsWith('\r') ? '\r' : '';
    }
    yield lines;
  }
  if (rest !== '' || tooLong) {
    yield [rest.endsWith('\r') ? lineOf(rest.slice(0, -1), '\r') : lineOf(rest, '')];
  }
}
