import { Lang, parse, type Rule, type SgNode } from '@ast-grep/napi';
import type { CodeEdit, Edit, Pattern, SqlEdit } from './defect.ts';

/** A piece of a file's text that an edit matches. */
export interface Match {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** Returns what an edit matches in the text of a TypeScript file. */
export function matchesOf(edit: Edit, text: string): Match[] {
  return 'sql' in edit ? sqlMatches(edit, text) : codeMatches(edit, text);
}

function codeMatches(edit: CodeEdit, text: string): Match[] {
  const rule: Rule = {
    pattern: comparable(edit.find),
    ...relation('inside', edit.inside),
    ...relation('has', edit.has),
    ...relation('follows', edit.follows),
    ...relation('precedes', edit.precedes),
  };
  const nodes = treeOf(singleQuoted(text)).findAll({ rule });
  requireBound(edit);
  return nodes.map((node) => ({ ...spanOf([node]), replacement: filled(edit.replace, node, text) }));
}

const METAVARIABLE = /\$\$\$([A-Z][A-Z0-9_]*)|\$([A-Z][A-Z0-9_]*)/g;

/** A metavariable that no pattern has would be filled with nothing. */
function requireBound({ replace, ...patterns }: CodeEdit): void {
  const bound: readonly string[] = JSON.stringify(patterns).match(METAVARIABLE) ?? [];
  const unbound = (replace.match(METAVARIABLE) ?? []).filter((variable) => !bound.includes(variable));
  if (unbound.length > 0) {
    throw new Error(`no pattern binds ${unbound.join(', ')}, which the replacement needs: ${replace}`);
  }
}

/** Returns the rule that other code, however far away, is around, in, before or after the match. */
function relation(name: 'inside' | 'has' | 'follows' | 'precedes', pattern: Pattern | undefined): Rule {
  return pattern === undefined ? {} : { [name]: { pattern: comparable(pattern), stopBy: 'end' } };
}

/** Returns a replacement with the matched text in place of its metavariables. */
function filled(replacement: string, node: SgNode, text: string): string {
  return replacement.replaceAll(METAVARIABLE, (_variable, many?: string, one?: string) => {
    const nodes = many === undefined ? [node.getMatch(one ?? '')] : node.getMultipleMatches(many);
    const { start, end } = spanOf(nodes.filter((found) => found !== null));
    // A trailing comma belongs to the layout, and the replacement may go on with its own.
    return text.slice(start, end).replace(/,$/, '');
  });
}

function sqlMatches({ sql, replace }: SqlEdit, text: string): Match[] {
  const literals = treeOf(text)
    .findAll({ rule: { any: [{ kind: 'template_string' }, { kind: 'string' }] } })
    .map((node) => spanOf([node]));
  return [...text.matchAll(anyLayoutOf(sql))]
    .map(({ index, 0: found }) => ({ start: index, end: index + found.length, replacement: replace }))
    .filter(({ start, end }) => literals.some((literal) => literal.start < start && end < literal.end));
}

/** Returns an expression for the same words and signs, whatever white space is between them. */
function anyLayoutOf(sql: string): RegExp {
  const tokens = sql.match(/\w+|[^\w\s]/g) ?? [];
  const isWord = (token: string | undefined): boolean => /^\w/.test(token ?? '');
  const source = tokens.map((token, index) => {
    const gap = index === 0 ? '' : isWord(token) && isWord(tokens[index - 1]) ? '\\s+' : '\\s*';
    return gap + RegExp.escape(token);
  });
  const [before, after] = [isWord(tokens[0]) ? '(?<!\\w)' : '', isWord(tokens.at(-1)) ? '(?!\\w)' : ''];
  return new RegExp(before + source.join('') + after, 'g');
}

function comparable(pattern: Pattern): Pattern {
  return typeof pattern === 'string'
    ? singleQuoted(pattern)
    : { context: singleQuoted(pattern.context), selector: pattern.selector };
}

/** Returns code with single quotes, since ast-grep tells quotes apart. Every character stays at its position. */
function singleQuoted(code: string): string {
  const strings = code.includes('"') ? treeOf(code).findAll({ rule: { kind: 'string', regex: `^"[^']*"$` } }) : [];
  return strings
    .map((node) => spanOf([node]))
    .reduce((text, { start, end }) => {
      return `${text.slice(0, start)}'${text.slice(start + 1, end - 1)}'${text.slice(end)}`;
    }, code);
}

const trees = new Map<string, SgNode>();

/**
 * Parses each text once, since many defects are planted in the same folders. The grammar cannot read type arguments before a template, such as those
 * of `sql<string>`, so they are blanked.
 */
function treeOf(code: string): SgNode {
  const readable = code.replaceAll(/(?<=\w)<[^<>`=()]+>(?=`)/g, (types) => ' '.repeat(types.length));
  const tree = trees.get(readable) ?? parse(Lang.TypeScript, readable).root();
  trees.set(readable, tree);
  return tree;
}

/** Returns where the nodes begin and end, in characters. */
function spanOf(nodes: readonly SgNode[]): { readonly start: number; readonly end: number } {
  const [first, last] = [nodes[0]?.range(), nodes.at(-1)?.range()];
  return { start: first?.start.index ?? 0, end: last?.end.index ?? 0 };
}
