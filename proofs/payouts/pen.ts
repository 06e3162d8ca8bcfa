/** How the cells of a file are written. */
export interface Style {
  readonly encoding: 'utf-8' | 'utf-8 with mark' | 'utf-16le' | 'utf-16be';
  readonly bangla: boolean;
  readonly grouping: 'none' | 'lakh' | 'thousands';
  readonly negative: 'minus' | 'parentheses' | 'trailing minus';
  readonly newline: '\n' | '\r\n';
  /** `="0012"`: what keeps a spreadsheet from reading an id as a number. */
  readonly guardedIds: boolean;
  readonly total: boolean;
  readonly emptyRows: boolean;
}

export const PLAIN: Style = {
  encoding: 'utf-8',
  bangla: false,
  grouping: 'none',
  negative: 'minus',
  newline: '\n',
  guardedIds: false,
  total: false,
  emptyRows: false,
};

/** Writes cells. Every currency of this trade has two decimals. */
export interface Pen {
  amount(minor: bigint): string;
  id(text: string): string;
  time(text: string, order: 'day-first' | 'year-first'): string;
}

export function penOf({ bangla, grouping, negative, guardedIds }: Style): Pen {
  const digits = (text: string): string =>
    bangla ? text.replaceAll(/\d/g, (digit) => '০১২৩৪৫৬৭৮৯'[Number(digit)] ?? digit) : text;
  return {
    amount(minor) {
      const text = (minor < 0n ? -minor : minor).toString().padStart(3, '0');
      const written = digits(`${grouped(text.slice(0, -2), grouping)}.${text.slice(-2)}`);
      if (minor >= 0n) {
        return written;
      }
      return { minus: `-${written}`, parentheses: `(${written})`, 'trailing minus': `${written}-` }[negative];
    },
    id: (text) => (guardedIds && text !== '' ? `="${text}"` : text),
    time(text, order) {
      const [date = '', time = ''] = text.split(' ');
      const [year = '', month = '', day = ''] = date.split('-');
      const written = order === 'day-first' ? `${day}/${month}/${year}` : date;
      return digits(time === '' ? written : `${written} ${time}`);
    },
  };
}

function grouped(whole: string, grouping: Style['grouping']): string {
  if (grouping === 'none' || whole.length <= 3) {
    return whole;
  }
  const head = whole.slice(0, -3);
  const groups: string[] = [];
  for (let end = head.length; end > 0; end -= grouping === 'lakh' ? 2 : 3) {
    groups.unshift(head.slice(Math.max(0, end - (grouping === 'lakh' ? 2 : 3)), end));
  }
  return [...groups, whole.slice(-3)].join(',');
}

/** Writes a file of a gateway: quotes what needs it, and nothing else. */
export function written(
  rows: readonly (readonly string[] | string)[],
  { delimiter, style }: { readonly delimiter: string; readonly style: Style },
): Uint8Array {
  const cell = (text: string): string =>
    text.includes(delimiter) || text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text;
  const text = rows
    .map((row) => (typeof row === 'string' ? row : row.map(cell).join(delimiter)) + style.newline)
    .join('');
  switch (style.encoding) {
    case 'utf-8':
      return Buffer.from(text, 'utf8');
    case 'utf-8 with mark':
      return Buffer.from(`\uFEFF${text}`, 'utf8');
    case 'utf-16le':
      return Buffer.from(`\uFEFF${text}`, 'utf16le');
    case 'utf-16be':
      return Buffer.from(`\uFEFF${text}`, 'utf16le').swap16();
  }
}
