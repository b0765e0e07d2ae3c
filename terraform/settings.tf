# The environment of both roles: the doors, and what else there is to set. Each name is one of `common::config`.

locals {
  # The URLs that hold a password, the signing key, and where people sign in, come out of Secret Manager when an instance starts.
  secret_settings = {
    SLIPWAY_DATABASE = {
      secret  = google_secret_manager_secret.database.secret_id
      version = google_secret_manager_secret_version.database.version
    }
    SLIPWAY_QUEUE = {
      secret  = google_secret_manager_secret.queue.secret_id
      version = google_secret_manager_secret_version.queue.version
    }
    SLIPWAY_SIGNING_KEY = {
      secret  = google_secret_manager_secret.signing.secret_id
      version = google_secret_manager_secret_version.signing.version
    }
    SLIPWAY_IDENTITY_PROVIDER = {
      secret  = google_secret_manager_secret.identity.secret_id
      version = google_secret_manager_secret_version.identity.version
    }
  }

  plain_settings = merge(var.settings, {
    SLIPWAY_OBJECTS              = "gs://${google_storage_bucket.public.name}"
    SLIPWAY_OBJECTS_PRIVATE      = "gs://${google_storage_bucket.private.name}"
    SLIPWAY_PUBLIC_URL           = "https://${var.host}/"
    SLIPWAY_DATABASE_CONNECTIONS = tostring(var.database_connections)
  })
}
