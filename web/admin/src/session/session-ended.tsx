import { useEffect, useRef } from 'react';
import { useLanguage } from '../words/language.tsx';
import { LoginPage } from './login-page.tsx';

/** Asks for the login above the page, which stays as it is below, with everything that was typed. Nothing of it can be seen or used meanwhile. */
export function SessionEnded() {
  const { words } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const show = (): void => {
    if (dialog.current?.open === false) {
      dialog.current.showModal();
    }
  };
  useEffect(show, []);
  return (
    // A browser closes a dialog at the second Escape, whatever the page says.
    <dialog
      ref={dialog}
      className="session-ended"
      aria-label={words.login.title}
      onCancel={(event) => event.preventDefault()}
      onClose={show}
    >
      <LoginPage why={words.login.ended} />
    </dialog>
  );
}
