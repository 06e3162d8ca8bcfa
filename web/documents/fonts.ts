import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * Typst also uses fonts installed on the machine, and another version of a font would give other bytes. Our fonts therefore get names of their own,
 * of the same length, so that no offset in a file changes.
 *
 * Baloo Da 2 draws below-base forms as glyphs of their own. Fonts that set them by offsets (Noto among them) make Typst split a run of text in the
 * middle of a letter, and readers then extract the letter twice.
 */
const OUR_NAMES: readonly (readonly [own: string, ours: string])[] = [
  ['Noto Sans', 'Lend Sans'],
  ['Baloo Da 2', 'LendBangla'],
];

const require = createRequire(import.meta.url);

/** Returns the fonts for Latin and Bengali, regular and bold. The templates call them `Lend Sans` and `LendBangla`. */
export function loadFonts(): Buffer[] {
  return [
    require.resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf'),
    require.resolve('@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf'),
    require.resolve('@expo-google-fonts/baloo-da-2/BalooDa2_400Regular.ttf'),
    require.resolve('@expo-google-fonts/baloo-da-2/BalooDa2_700Bold.ttf'),
  ].map((path) => renamed(readFileSync(path)));
}

/** Characters set in the Bengali font: its script, and the signs and joiners within it. Keep in sync with `template/page.typ`. */
export const BENGALI = /^[\u0964\u0965\u0980-\u09ff\u200c-\u200d\u25cc]$/;

/** Returns every character that its font has a glyph for. */
export function coverageOf(fonts: readonly Buffer[]): Set<string> {
  const [latin = [], , bengali = []] = fonts.map((font) => charactersOf(font));
  return new Set([
    ...latin.filter((character) => !BENGALI.test(character)),
    ...bengali.filter((character) => BENGALI.test(character)),
  ]);
}

function renamed(font: Buffer): Buffer {
  const table = tableAt(font, 'name');
  const strings = table + font.readUInt16BE(table + 4);
  for (let index = 0; index < font.readUInt16BE(table + 2); index += 1) {
    const record = table + 6 + index * 12;
    const start = strings + font.readUInt16BE(record + 10);
    const name = font.subarray(start, start + font.readUInt16BE(record + 8));
    for (const [own, ours] of OUR_NAMES) {
      const text = utf16be(own);
      if (name.subarray(0, text.length).equals(text)) {
        utf16be(ours).copy(name);
      }
    }
  }
  return font;
}

function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/** Source: OpenType `cmap`, format 4. Both fonts use it for the basic plane; documents need no characters beyond that. */
function charactersOf(font: Buffer): string[] {
  const table = tableAt(font, 'cmap');
  const subtables = Array.from(
    { length: font.readUInt16BE(table + 2) },
    (_, index) => table + font.readUInt32BE(table + 8 + index * 8),
  );
  const subtable = subtables.find((at) => font.readUInt16BE(at) === 4);
  if (subtable === undefined) {
    throw new Error('A font without a character map of format 4.');
  }
  const doubled = font.readUInt16BE(subtable + 6);
  return Array.from({ length: doubled / 2 }, (_, index) => {
    const end = font.readUInt16BE(subtable + 14 + index * 2);
    const start = font.readUInt16BE(subtable + 16 + doubled + index * 2);
    // The last segment is an end marker.
    return start === 0xffff
      ? []
      : Array.from({ length: end - start + 1 }, (_, step) => String.fromCharCode(start + step));
  }).flat();
}

function tableAt(font: Buffer, tag: string): number {
  for (let index = 0; index < font.readUInt16BE(4); index += 1) {
    const record = 12 + index * 16;
    if (font.toString('latin1', record, record + 4) === tag) {
      return font.readUInt32BE(record + 8);
    }
  }
  throw new Error(`A font without a ${tag} table.`);
}
