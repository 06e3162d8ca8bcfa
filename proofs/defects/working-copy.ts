import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Edit } from './defect.ts';

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
  constructor({ file, find }: Edit, times: number) {
    super(`the edit of ${file} does not apply: what it looks for is there ${times} times: ${find.slice(0, 80)}`);
    this.name = 'EditDoesNotApply';
  }
}

/** Copies the tracked files in their current state, committed or not, with the same packages. */
export function copyTree(root: string): WorkingCopy {
  const directory = mkdtempSync(join(tmpdir(), 'lenden-defects-'));
  chmodSync(directory, 0o755);
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
  const texts = new Map<string, string>();
  for (const edit of edits) {
    const text = texts.get(edit.file) ?? readFileSync(join(directory, edit.file), 'utf8');
    const parts = text.split(edit.find);
    if (parts.length !== 2) {
      throw new EditDoesNotApply(edit, parts.length - 1);
    }
    texts.set(edit.file, parts.join(edit.replace));
  }
  return texts;
}
