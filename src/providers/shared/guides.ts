import type { ProviderGuide } from "../../model/provider.ts";
import { CLOUDWATCH_TABLE } from "./cloudwatch-codes.ts";
import { HEC_CODES } from "./hec-codes.ts";

/*
 * What forms say beside the fields: the vendors' own names for their screens, as docs/providers.md tells at length.
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/set-up-and-use-http-event-collector-in-splunk-web (read 2026-11)
 */

export const SPLUNK_GUIDE: ProviderGuide = {
  summary: "Splunk Enterprise and Splunk Cloud, through the HTTP Event Collector (HEC).",
  endpoint: {
    label: "HEC URL",
    example: "https://hec.splunk.example.com:8088",
    help: "Splunk Cloud: https://http-inputs-<stack>.splunkcloud.com. Splunk Enterprise: port 8088 of the host that receives HEC, not Splunk Web's port 8000. The path /services/collector may be left out.",
    derivedFrom: [],
  },
  steps: [
    "In Splunk, open Settings, Data inputs, HTTP Event Collector, and enable all tokens in Global Settings.",
    "Create a token with New Token, and allow it the indexes that you name here, and no others.",
    "Copy the column Token Value.",
  ],
  notes: [
    "With indexer acknowledgement on the token, an event counts as delivered when an indexer has written it; without it, when HEC has taken it.",
    "The certificate must be of a public authority. The one that Splunk installs by default is self-signed and is refused.",
    "After a repeat the same event can be there twice: search with `dedup id`.",
  ],
  codes: HEC_CODES.map(({ code, meaning }) => ({ code: String(code), meaning })),
};

export const DATADOG_GUIDE: ProviderGuide = {
  summary: "Datadog Log Management, through the logs intake.",
  endpoint: {
    label: "Logs intake URL",
    example: "https://http-intake.logs.datadoghq.eu",
    help: "Leave it empty and name the site below. Any other address is called as it is given.",
    derivedFrom: ["site"],
  },
  steps: [
    "In Datadog, open Organization Settings, API Keys, and create a key with New Key.",
    "Note your site: it is part of the address of Datadog in your browser, like app.datadoghq.eu.",
  ],
  notes: [
    "Datadog takes no logs that are more than 18 hours old. After an outage, older ones become dead letters.",
    "After a repeat the same event can be there twice: group by @evt.id.",
  ],
  codes: [],
};

export const CLOUDWATCH_GUIDE: ProviderGuide = {
  summary: "AWS CloudWatch Logs, through PutLogEvents.",
  endpoint: {
    label: "Endpoint",
    example: "https://logs.eu-central-1.amazonaws.com",
    help: "Leave it empty and name the region below, unless you use a VPC, FIPS or dual-stack endpoint.",
    derivedFrom: ["region"],
  },
  steps: [
    "In AWS, make the log group with the retention that you want: CloudWatch, Logs, Log groups, Create log group.",
    "In IAM, make a user with logs:PutLogEvents and logs:CreateLogStream on that group, and nothing else.",
    "Create an access key for it under Security credentials.",
  ],
  notes: [
    "CloudWatch takes nothing older than 14 days or more than 2 hours ahead. Such events become dead letters.",
    "A log group that the relay has to create keeps its events for ever: create it yourself to set the retention.",
  ],
  codes: CLOUDWATCH_TABLE.flatMap(({ types, because }) => types.map((code) => ({ code, meaning: because }))),
};

export const WEBHOOK_GUIDE: ProviderGuide = {
  summary: "Any HTTPS receiver of your own: JSON, signed with HMAC-SHA256 and by the Standard Webhooks.",
  endpoint: {
    label: "URL",
    example: "https://hooks.example.com/audit",
    help: "Called exactly as given, path and query included. Redirects are not followed.",
    derivedFrom: [],
  },
  steps: [
    "Make a secret of at least 24 random bytes and give it to the receiver and to this form.",
    "Let the receiver check webhook-signature, or the header X-Sluice-Signature, before it believes a request.",
    "Answer 2xx when the events are stored: everything else is sent again.",
  ],
  notes: [
    "Every retry of a delivery has the same webhook-id, so the receiver can tell a repeat.",
    "410 Gone marks the destination failed at once.",
  ],
  codes: [],
};

export const ELASTIC_GUIDE: ProviderGuide = {
  summary: "Elasticsearch and OpenSearch, through the bulk API, as documents of the Elastic Common Schema.",
  endpoint: {
    label: "Elasticsearch URL",
    example: "https://es.example.com:9200",
    help: "Elastic Cloud: Copy endpoint beside Elasticsearch on the deployment's page. Not Kibana's address.",
    derivedFrom: [],
  },
  steps: [
    "In Kibana, open Stack Management, API keys, Create API key.",
    "Restrict it to create_doc and auto_configure on the data stream.",
    "Copy the encoded value. OpenSearch: a user that may create documents, and its password.",
  ],
  notes: [
    "The document's _id is the event's id: a repeat is stored once.",
    "A document that does not fit the mapping becomes a dead letter, with Elasticsearch's own words.",
  ],
  codes: [],
};
