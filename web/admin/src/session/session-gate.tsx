import { Center, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, type ReactNode } from 'react';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { useLanguage } from '../words/language.tsx';
import { LoginPage } from './login-page.tsx';
import { NewPasswordPage } from './new-password-page.tsx';
import { ME, SessionContext } from './session.tsx';
import { StepUpProvider } from './step-up.tsx';

/** Shows the dashboard to whoever is logged in, and the login to everybody else. */
export function SessionGate({
  onLoggedIn,
  children,
}: {
  readonly onLoggedIn: () => void;
  readonly children: ReactNode;
}) {
  const { words } = useLanguage();
  const { data: me, error, refetch } = useQuery(ME);
  const isLoggedIn = me !== null && me !== undefined;
  useEffect(() => {
    if (isLoggedIn) {
      onLoggedIn();
    }
  }, [isLoggedIn, onLoggedIn]);
  if (error !== null) {
    return <ErrorNotice error={error} retry={() => void refetch()} />;
  }
  if (me === undefined) {
    return (
      <Center mih="100dvh">
        <Loader aria-label={words.loading} />
      </Center>
    );
  }
  if (me === null) {
    return <LoginPage />;
  }
  return (
    <SessionContext value={me}>
      {me.operator.passwordTemporary ? <NewPasswordPage /> : <StepUpProvider>{children}</StepUpProvider>}
    </SessionContext>
  );
}
