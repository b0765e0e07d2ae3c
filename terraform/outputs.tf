# The three URLs of the registry, and where it is to be found. Two of the URLs have a password, which stands in Secret Manager and
# nowhere else, so it is left out here: `gcloud secrets versions access latest --secret NAME-database` prints the whole.

output "database" {
  description = "URL of the database, without its password."
  value       = "postgres://slipway@${local.database_place}"
}

output "objects" {
  description = "URL of the public store."
  value       = local.plain_settings.SLIPWAY_OBJECTS
}

output "queue" {
  description = "URL of the queue, without its password."
  value       = "amqp://slipway@${local.queue_place}"
}

output "hosts" {
  description = "The public hosts, each with the address that its A record has to name."
  value       = { for host in local.hosts : host => google_compute_global_address.edge.address }
}
