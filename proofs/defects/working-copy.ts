import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeStackDirectory } from '../../scripts/shared/stack-directory.ts';
import type { Edit } from './defect.ts';
import { matchesOf } from './matches.ts';

/** A separate tree in which defects are planted. */
export interface WorkingCopy {
  readonly directory: string;
  /**
   * Makes all edits or none.
   * @throws EditDoesNotApply
   */
  plant(edits: readonly Edit[]): void;
  restore(): void;
  remove(): void;
}

/** The error for a defect that no longer fits the code and must be rewritten. */
export class EditDoesNotApply extends Error {
  /** @param matches each as `file:line` */
  constructor(edit: Edit, matches: readonly string[]) {
    const wanted = JSON.stringify('sql' in edit ? edit.sql : edit.find);
    const where = matches.length === 0 ? '' : ` (${matches.join(', ')})`;
    super(
      `an edit in ${edit.in} does not apply: what it looks for is there ${matches.length} times${where}: ${wanted}`,
    );
    this.name = 'EditDoesNotApply';
  }
}

/** Copies the tracked files in their current state, committed or not, with the same packages. */
export function copyTree(root: string): WorkingCopy {
  const directory = makeStackDirectory('lenden-defects-');
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  for (const file of listed.split('\0')) {
    if (file !== '' && existsSync(join(root, file))) {
      cpSync(join(root, file), join(directory, file));
    }
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  return workingCopy(directory);
}

export function workingCopy(directory: string): WorkingCopy {
  const originals = new Map<string, string>();
  return {
    directory,
    plant(edits) {
      for (const [file, text] of planted(directory, edits)) {
        originals.set(file, readFileSync(join(directory, file), 'utf8'));
        writeFileSync(join(directory, file), text);
      }
    },
    restore() {
      for (const [file, text] of originals) {
        writeFileSync(join(directory, file), text);
      }
      originals.clear();
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Returns the changed files with their new text. Several edits of one file build on each other. */
export function planted(directory: string, edits: readonly Edit[]): Map<string, string> {
  const changed = new Map<string, string>();
  const textOf = (file: string): string => changed.get(file) ?? readFileSync(join(directory, file), 'utf8');
  for (const edit of edits) {
    const found = filesIn(directory, edit.in).flatMap((file) => {
      const text = textOf(file);
      return matchesOf(edit, text).map((match) => ({ file, text, ...match }));
    });
    const [only, ...others] = found;
    if (only === undefined || others.length > 0) {
      throw new EditDoesNotApply(
        edit,
        found.map(({ file, text, start }) => `${file}:${text.slice(0, start).split('\n').length}`),
      );
    }
    changed.set(only.file, only.text.slice(0, only.start) + only.replacement + only.text.slice(only.end));
  }
  return changed;
}

/** Returns the TypeScript files of a folder, or the one that the place names. */
function filesIn(directory: string, place: string): string[] {
  if (place.endsWith('.ts')) {
    return existsSync(join(directory, place)) ? [place] : [];
  }
  if (!existsSync(join(directory, place))) {
    return [];
  }
  return readdirSync(join(directory, place), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(place, file))
    .toSorted();
}
