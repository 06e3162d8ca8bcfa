export interface Token {
  readonly kind: 'word' | 'text' | 'number' | 'sign' | 'parameter' | 'end';
  /** Words are in lower case. */
  readonly text: string;
}

const TOKEN =
  /\s+|--[^\n]*|(?<word>[A-Za-z_][A-Za-z0-9_]*|"[^"]+")|'(?<text>(?:[^']|'')*)'|(?<number>\d+(?:\.\d+)?)|(?<parameter>\?)|(?<sign><>|<=|>=|\|\||::|!=|[()[\],.*+\-/=<>~;%])/gy;

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < sql.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(sql)?.groups;
    if (groups === undefined) {
      throw new SyntaxError(`the simulation's Postgres does not read: ${sql.slice(at, at + 60)}`);
    }
    const { word, text, number, parameter, sign } = groups;
    if (word !== undefined) {
      tokens.push({ kind: 'word', text: word.startsWith('"') ? word.slice(1, -1) : word.toLowerCase() });
    } else if (text !== undefined) {
      tokens.push({ kind: 'text', text: text.replaceAll("''", "'") });
    } else if (number !== undefined) {
      tokens.push({ kind: 'number', text: number });
    } else if (parameter !== undefined) {
      tokens.push({ kind: 'parameter', text: parameter });
    } else if (sign !== undefined) {
      tokens.push({ kind: 'sign', text: sign });
    }
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

/** Reads tokens in order. All statement and expression parsers share it. */
export class Reader {
  private readonly tokens: readonly Token[];
  private position = 0;
  /** Number of parameters so far: each `?` takes the next value. */
  parameters = 0;
  /** Number of aggregates so far in the current query. If there are any, the query works on groups. */
  aggregates = 0;

  constructor(sql: string) {
    this.tokens = tokensOf(sql);
  }

  peek(ahead = 0): Token {
    return this.tokens[this.position + ahead] ?? { kind: 'end', text: '' };
  }

  next(): Token {
    const token = this.peek();
    this.position += 1;
    return token;
  }

  /** Returns whether these words or signs come next. */
  sees(...texts: string[]): boolean {
    return texts.every((text, index) => {
      const token = this.peek(index);
      return token.text === text && (token.kind === 'word' || token.kind === 'sign');
    });
  }

  /** Consumes them if they come next. */
  takes(...texts: string[]): boolean {
    const found = this.sees(...texts);
    this.position += found ? texts.length : 0;
    return found;
  }

  expect(...texts: string[]): void {
    if (!this.takes(...texts)) {
      const found = Array.from({ length: 6 }, (_, index) => this.peek(index).text).join(' ');
      throw new SyntaxError(`the simulation's Postgres expected ${texts.join(' ')} before: ${found}`);
    }
  }

  word(): string {
    const token = this.next();
    if (token.kind !== 'word') {
      throw new SyntaxError(`the simulation's Postgres expected a name, not ${token.text}`);
    }
    return token.text;
  }

  list<T>(read: () => T): T[] {
    const items = [read()];
    while (this.takes(',')) {
      items.push(read());
    }
    return items;
  }

  /** Skips parentheses with their content. The opening one comes next. */
  skipBracket(): void {
    this.expect('(');
    for (let depth = 1; depth > 0;) {
      const token = this.next();
      depth += token.kind === 'sign' && token.text === '(' ? 1 : 0;
      depth -= token.kind === 'sign' && token.text === ')' ? 1 : 0;
      if (token.kind === 'end') {
        throw new SyntaxError('a bracket is not closed');
      }
    }
  }
}
