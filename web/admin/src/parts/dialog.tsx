import { Modal } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { useLanguage } from '../words/language.tsx';

/** The login above the page takes Escape, too, and must not discard what was typed below it. */
function isCovered(): boolean {
  return document.querySelector('dialog[open]') !== null;
}

/** A dialog that exists while it is open. Afterwards the focus is where it was before. */
export function Dialog({
  title,
  close,
  children,
}: {
  readonly title: string;
  readonly close: () => void;
  readonly children: ReactNode;
}) {
  const { words } = useLanguage();
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // The dialog gives its own focus up first.
      setTimeout(() => before instanceof HTMLElement && before.focus());
    },
    [before],
  );
  return (
    <Modal
      opened
      onClose={() => isCovered() || close()}
      title={title}
      centered
      closeOnClickOutside={false}
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': words.close }}
    >
      {children}
    </Modal>
  );
}
