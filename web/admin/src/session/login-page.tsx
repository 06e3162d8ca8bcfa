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
import { noteLoggedIn } from './session.tsx';
import { useChange } from '../parts/use-change.ts';

/** Logs in, or asks for a link if the password is forgotten. `why` says why a person who was logged in has to do it again. */
export function LoginPage({ why }: { readonly why?: string }) {
  const [isForgotten, setForgotten] = useState(false);
  return isForgotten ? (
    <ForgottenPage back={() => setForgotten(false)} />
  ) : (
    <LoginCard {...(why === undefined ? {} : { why })} forgotten={() => setForgotten(true)} />
  );
}

function LoginCard({ why, forgotten }: { readonly why?: string; readonly forgotten: () => void }) {
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
      // What failed without a session is asked for again.
      await queries.invalidateQueries();
    },
    onError: (error) => setNeedsCode((before) => before || isAboutCode(error)),
  });
  return (
    <EntryCard title={words.login.title}>
      {why !== undefined && <Text>{why}</Text>}
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
