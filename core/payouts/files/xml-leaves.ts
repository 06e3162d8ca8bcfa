import { Parser } from 'saxen';
import { UnreadableFile } from './unreadable-file.ts';

/** Texts of an element's descendants by their path in it, such as `Acct/Id/IBAN`. An attribute of a leaf is at `Amt@Ccy`. */
export type Leaves = ReadonlyMap<string, readonly string[]>;

const DEPTH_MAX = 32;
const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp;', '&'],
  ['apos;', "'"],
  ['gt;', '>'],
  ['lt;', '<'],
  ['quot;', '"'],
]);
const ENCODING = /\sencoding\s*=\s*["']([^"']*)["']/i;
const READ_AS_DECLARED = /^(?:utf-?8|utf-?16(?:le|be)?|us-ascii)$/i;

interface Element {
  readonly path: string;
  text: string;
  hasChildren: boolean;
}

type Line = () => { readonly line: number };

/**
 * Reads an XML document and hands over the leaves of each element that stands at one of the paths, in the order in which the elements end. A path has
 * local names from the root on, such as `Document/BkToCstmrStmt/Stmt`. What is handed over for an inner element is no longer part of the outer one.
 *
 * @throws UnreadableFile BAD_STATEMENT for what is no XML, FORBIDDEN_XML for a document type or an entity of its own, BAD_ENCODING
 */
export function readLeaves(xml: string, paths: readonly string[], hand: (path: string, leaves: Leaves) => void): void {
  const elements: Element[] = [];
  const open: { path: string; leaves: Map<string, string[]> }[] = [];
  const add = (path: string, text: string): void => {
    const taker = open.at(-1);
    if (taker !== undefined) {
      const key = path.slice(taker.path.length + 1);
      taker.leaves.set(key, [...(taker.leaves.get(key) ?? []), text]);
    }
  };
  const addText = (text: string): void => {
    const element = elements.at(-1);
    if (element !== undefined) {
      element.text += text;
    }
  };
  const parser = new Parser();
  parser.on('openTag', (name, getAttributes, _decode, _selfClosing, context) => {
    const parent = elements.at(-1);
    if (parent !== undefined) {
      parent.hasChildren = true;
    }
    const path = parent === undefined ? localName(name) : `${parent.path}/${localName(name)}`;
    if (elements.length >= DEPTH_MAX) {
      throw notXml('it is nested too deeply', context);
    }
    elements.push({ path, text: '', hasChildren: false });
    if (paths.includes(path)) {
      open.push({ path, leaves: new Map() });
    }
    for (const [attribute, value] of Object.entries(getAttributes() || {})) {
      add(`${path}@${attribute}`, unescaped(value, context));
    }
  });
  parser.on('text', (text, _decode, context) => addText(unescaped(text, context)));
  parser.on('cdata', (text) => addText(text));
  parser.on('closeTag', () => {
    const element = elements.pop();
    if (element !== undefined && !element.hasChildren && element.text.trim() !== '') {
      add(element.path, element.text.trim());
    }
    const taker = open.at(-1);
    if (taker !== undefined && taker.path === element?.path) {
      open.pop();
      hand(taker.path, taker.leaves);
    }
  });
  parser.on('question', (text, context) => checkEncoding(text, context));
  parser.on('attention', (_text, _decode, context) => {
    throw new UnreadableFile('FORBIDDEN_XML', 'The file declares a document type or entities.', placeOf(context));
  });
  const refuse = (error: Error, context: Line): never => {
    throw error instanceof UnreadableFile ? error : notXml(error.message, context);
  };
  parser.on('error', refuse);
  parser.on('warn', refuse);
  parser.parse(xml);
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** Replaces what XML predefines. saxen's own function takes the upper 16 bits off a character, and leaves unknown entities as they are. */
function unescaped(text: string, context: Line): string {
  return text.replaceAll(/&([^;&]{0,10};?)/g, (_, name: string) => {
    const character = PREDEFINED.get(name) ?? numbered(name);
    if (character === undefined) {
      throw new UnreadableFile('FORBIDDEN_XML', 'The file has an entity of its own.', placeOf(context));
    }
    return character;
  });
}

/** @param name - what stands between `&` and the end of `;`, such as `#2488;` or `#x9B8;` */
function numbered(name: string): string | undefined {
  const [, decimal, hexadecimal] = /^#(?:(\d{1,7})|x([\dA-Fa-f]{1,6}));$/.exec(name) ?? [];
  const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '0', 16) : Number.parseInt(decimal, 10);
  const isCharacter =
    code >= 32
      ? code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
      : /^[\t\n\r]$/.test(String.fromCodePoint(code));
  return isCharacter ? String.fromCodePoint(code) : undefined;
}

/** The file was decoded by its byte order mark or as UTF-8. Another declaration would make other letters of the same bytes. */
function checkEncoding(declaration: string, context: Line): void {
  const encoding = ENCODING.exec(declaration)?.[1];
  if (encoding !== undefined && !READ_AS_DECLARED.test(encoding)) {
    const message = 'The file declares an encoding other than UTF-8 and UTF-16.';
    throw new UnreadableFile('BAD_ENCODING', message, { byteOffset: 0, ...placeOf(context) });
  }
}

function notXml(why: string, context: Line): UnreadableFile {
  return new UnreadableFile('BAD_STATEMENT', `The file is no well-formed XML: ${why}.`, placeOf(context));
}

function placeOf(context: Line): { lineNumber: number } {
  return { lineNumber: context().line + 1 };
}
