import { Center, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { useLanguage } from '../words/language.tsx';
import { LoginPage } from './login-page.tsx';
import { NewPasswordPage } from './new-password-page.tsx';
import { SessionEnded } from './session-ended.tsx';
import { ME, SessionContext, type Me } from './session.tsx';
import { StepUpProvider } from './step-up.tsx';

/** Shows the dashboard to whoever is logged in, and the login to everybody else. When a session ends, the page waits below the login. */
export function SessionGate({
  onLoggedIn,
  children,
}: {
  readonly onLoggedIn: () => void;
  readonly children: ReactNode;
}) {
  const { data: me, error, refetch } = useQuery(ME);
  const [known, setKnown] = useState<Me | null>(null);
  if (me !== null && me !== undefined && me !== known && (known === null || isSame(me, known))) {
    setKnown(me);
  }
  const isLoggedIn = me !== null && me !== undefined;
  useEffect(() => {
    if (isLoggedIn) {
      onLoggedIn();
    }
  }, [isLoggedIn, onLoggedIn]);
  if (known !== null && me !== undefined) {
    return me !== null && !isSame(me, known) ? (
      <AnotherPerson />
    ) : (
      <SessionContext value={known}>
        {known.operator.passwordTemporary ? <NewPasswordPage /> : <StepUpProvider>{children}</StepUpProvider>}
        {me === null && <SessionEnded />}
      </SessionContext>
    );
  }
  if (error !== null) {
    return <ErrorNotice error={error} retry={() => void refetch()} />;
  }
  if (me === undefined) {
    return <Waiting />;
  }
  return <LoginPage />;
}

function isSame(me: Me, known: Me): boolean {
  return me.operator.id === known.operator.id;
}

/** Begins anew: nothing that one person has seen or typed is shown to another. */
function AnotherPerson() {
  useEffect(() => location.reload(), []);
  return <Waiting />;
}

function Waiting() {
  const { words } = useLanguage();
  return (
    <Center mih="100dvh">
      <Loader aria-label={words.loading} />
    </Center>
  );
}
