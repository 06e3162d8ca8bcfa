export interface Token {
  /** A `name` was quoted: it is never a keyword. */
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'sign' | 'parameter' | 'end';
  /** Words are in lower case. */
  readonly text: string;
}

const TOKEN =
  /\s+|--[^\n]*|(?<word>[A-Za-z_][A-Za-z0-9_]*)|"(?<name>[^"]+)"|'(?<text>(?:[^']|'')*)'|(?<number>\d+(?:\.\d+)?)|(?<parameter>\?|\$\d+)|(?<sign><>|<=|>=|\|\||::|!=|[()[\],.*+\-/=<>~;%])/gy;

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < sql.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(sql)?.groups;
    if (groups === undefined) {
      throw new SyntaxError(`the simulation's Postgres does not read: ${sql.slice(at, at + 60)}`);
    }
    const { word, name, text, number, parameter, sign } = groups;
    if (word !== undefined) {
      tokens.push({ kind: 'word', text: word.toLowerCase() });
    } else if (name !== undefined) {
      tokens.push({ kind: 'name', text: name });
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

/** Keywords of clauses that are not read. As a name or an alias each would silently change what the statement means. */
const UNREAD: ReadonlySet<string> = new Set([
  'all',
  'distinct',
  'except',
  'fetch',
  'filter',
  'full',
  'having',
  'intersect',
  'lateral',
  'natural',
  'offset',
  'only',
  'over',
  'right',
  'tablesample',
  'using',
  'window',
]);

export function isName({ kind }: Token): boolean {
  return kind === 'word' || kind === 'name';
}

/** Reads tokens in order. All statement and expression parsers share it. */
export class Reader {
  private readonly tokens: readonly Token[];
  private position = 0;
  /** Number of values that the parameters so far take. */
  parameters = 0;
  private numbered: boolean | null = null;
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

  /** Reads a name, quoted or not. */
  word(): string {
    const token = this.next();
    if (!isName(token)) {
      throw new SyntaxError(`the simulation's Postgres expected a name, not ${token.text}`);
    }
    if (token.kind === 'word' && UNREAD.has(token.text)) {
      throw new SyntaxError(`the simulation's Postgres does not read ${token.text}`);
    }
    return token.text;
  }

  /** Reads a parameter and returns the index of its value: each `?` takes the next one, and `$1` the first. */
  parameter(): number {
    const { text } = this.next();
    const numbered = text !== '?';
    if (this.numbered !== null && this.numbered !== numbered) {
      throw new SyntaxError("the simulation's Postgres does not read parameters of both kinds in one statement");
    }
    this.numbered = numbered;
    const index = numbered ? Number(text.slice(1)) - 1 : this.parameters;
    this.parameters = Math.max(this.parameters, index + 1);
    return index;
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
