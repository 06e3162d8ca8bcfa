import { Alert, Anchor, Button, PasswordInput, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ApiError, dataOf, keepCsrfToken } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useLanguage } from '../words/language.tsx';
import { secondFactorOf } from './code.ts';
import { EntryCard } from './entry-card.tsx';
import { ForgottenPage } from './forgotten-page.tsx';
import { ME, noteLoggedIn } from './session.tsx';
import { useChange } from '../parts/use-change.ts';

/** Logs in, or asks for a link if the password is forgotten. */
export function LoginPage() {
  const [isForgotten, setForgotten] = useState(false);
  return isForgotten ? (
    <ForgottenPage back={() => setForgotten(false)} />
  ) : (
    <LoginCard forgotten={() => setForgotten(true)} />
  );
}

function LoginCard({ forgotten }: { readonly forgotten: () => void }) {
  const { words } = useLanguage();
  const queries = useQueryClient();
  const [needsCode, setNeedsCode] = useState(false);
  const logIn = useChange({
    mutationFn: async (form: FormData) => {
      const body = { email: textOf(form, 'email'), password: textOf(form, 'password'), cookie: true };
      return dataOf(api.POST('/auth/login', { body: { ...body, ...secondFactorOf(textOf(form, 'code')) } }));
    },
    onSuccess: async ({ csrfToken }) => {
      keepCsrfToken(csrfToken);
      noteLoggedIn();
      await queries.resetQueries({ queryKey: ME.queryKey });
    },
    onError: (error) => setNeedsCode((before) => before || isAboutCode(error)),
  });
  return (
    <EntryCard title={words.login.title}>
      <Form submit={(form) => logIn.mutate(form)}>
        <TextInput name="email" type="email" label={words.login.email} autoComplete="username" required />
        <PasswordInput name="password" label={words.login.password} autoComplete="current-password" required />
        {needsCode && (
          <TextInput name="code" label={words.login.code} autoComplete="one-time-code" required autoFocus />
        )}
        <Refusal error={logIn.error} />
        <Button type="submit" loading={logIn.isPending}>
          {words.login.submit}
        </Button>
      </Form>
      <Anchor component="button" type="button" size="sm" onClick={forgotten}>
        {words.login.forgotten}
      </Anchor>
    </EntryCard>
  );
}

function Refusal({ error }: { readonly error: Error | null }) {
  const { words } = useLanguage();
  if (error === null) {
    return null;
  }
  if (isAboutCode(error)) {
    return <Text role="status">{words.login.codeNeeded}</Text>;
  }
  return error instanceof ApiError && error.code === 'INVALID_CREDENTIALS' ? (
    <Alert color="red" role="alert">
      {words.login.wrong}
    </Alert>
  ) : (
    <ErrorNotice error={error} />
  );
}

function isAboutCode(error: Error): boolean {
  return error instanceof ApiError && error.code === 'SECOND_FACTOR_REQUIRED';
}
