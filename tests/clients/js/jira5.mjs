// jira.js 5, an older design by the same author: separate clients for version 2 and 3 of the API, nothing validated.
import { Version2Client, Version3Client } from 'jira.js-5';
import { given, order, refused, step } from './steps.mjs';

const config = { host: given.jira, authentication: { basic: { email: given.email, apiToken: given.token } } };
const jira = new Version3Client(config);
const older = new Version2Client(config);

// -- read
await step('server info', async () => (await jira.serverInfo.getServerInfo()).deploymentType);
await step('myself', async () => (await jira.myself.getCurrentUser()).accountId);
await step('issue', async () => {
  const issue = await jira.issues.getIssue({ issueIdOrKey: given.issue });
  return { id: issue.id, description: issue.fields.description?.type ?? null };
});
await step('issue in version 2', async () => {
  const issue = await older.issues.getIssue({ issueIdOrKey: given.issue });
  return { id: issue.id, description: typeof issue.fields.description };
});
await step('fields', async () => (await jira.issueFields.getFields()).length);

// -- page
await step('pages', async () => {
  const ids = [];
  let pages = 0;
  let nextPageToken;
  do {
    const page = await jira.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost({
      jql: `project = ${given.project} ORDER BY updated ASC, id ASC`, fields: ['updated'], maxResults: 90, nextPageToken,
    });
    ids.push(...page.issues.map((issue) => issue.id));
    nextPageToken = page.nextPageToken;
    pages += 1;
  } while (nextPageToken);
  return { ids, pages };
});

// -- filter
await step('filter', async () =>
  (await jira.issueSearch.searchForIssuesUsingJqlEnhancedSearch({ jql: `assignee = "${given.person}"`, fields: ['assignee'], maxResults: 100 }))
    .issues.map((issue) => issue.fields.assignee.accountId));
await step('changelog', async () => (await jira.issues.getChangeLogs({ issueIdOrKey: given.issue })).values.length);

// -- write and read back
let made;
await step('create', async () => {
  made = (await jira.issues.createIssue({ fields: { project: { key: given.project }, issuetype: { name: given.issueType }, summary: 'Made by jira.js 5' } })).key;
  return (await jira.issues.getIssue({ issueIdOrKey: made })).fields.summary;
});
await step('edit', async () => {
  await older.issues.editIssue({ issueIdOrKey: made, fields: { description: 'plain *words*' } });
  return (await older.issues.getIssue({ issueIdOrKey: made })).fields.description;
});
await step('assign', async () => {
  await jira.issues.assignIssue({ issueIdOrKey: made, accountId: given.person });
  return (await jira.issues.getIssue({ issueIdOrKey: made })).fields.assignee.accountId;
});
await step('comment', async () => {
  await jira.issueComments.addComment({ issueIdOrKey: made, comment: 'From jira.js 5' });
  return (await older.issueComments.getComments({ issueIdOrKey: made })).comments.at(-1).body;
});
await step('delete', async () => {
  await jira.issues.deleteIssue({ issueIdOrKey: made });
  return made;
});

// -- error paths
await refused('deleted issue', () => jira.issues.getIssue({ issueIdOrKey: made }));
await refused('bad token', () =>
  new Version3Client({ ...config, authentication: { basic: { email: given.email, apiToken: 'wrong' } } }).myself.getCurrentUser());
await refused('unknown issue', () => jira.issues.getIssue({ issueIdOrKey: `${given.project}-999999` }));
await refused('bad query', () => jira.issueSearch.searchForIssuesUsingJqlEnhancedSearch({ jql: 'assignee = ' }));
await refused('removed search', () => jira.issueSearch.searchForIssuesUsingJql({ jql: `project = ${given.project}` }));
await refused('refused owner', () => jira.issues.assignIssue({ issueIdOrKey: given.other, accountId: given.left }));
await refused('too many requests', async () => {
  await order({ fault: 'too_many_requests', tool: 'jira', times: 1, settings: { retry_after: 7 } });
  return jira.issues.getIssue({ issueIdOrKey: given.issue });
});
