const form = document.getElementById('sign-in');
const problem = document.getElementById('problem');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { email, password, code } = Object.fromEntries(new FormData(form));
  const answer = await fetch('/api/v1/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password, cookie: true, ...(code === '' ? {} : { code }) }),
  });
  if (answer.ok) {
    location.assign('/docs/operators');
    return;
  }
  const { meta } = await answer.json();
  problem.textContent = meta.message;
});
