# The two URLs that hold a password, the key that signs npm versions, and where people sign in. The first three are made while Terraform
# runs, the last is told to it, and all are handed over by write-only arguments: neither the state nor a plan ever holds one. The URLs are
# written anew when `passwords_version` is raised, the key when `signing_key_version` is, the last when `identity_providers_version` is, and
# only then.

ephemeral "random_password" "database" {
  length  = 40
  special = false
}

ephemeral "random_password" "queue" {
  length  = 40
  special = false
}

ephemeral "tls_private_key" "signing" {
  algorithm   = "ECDSA"
  ecdsa_curve = "P256"
}

resource "google_secret_manager_secret" "database" {
  secret_id = "${var.name}-database"

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}

resource "google_secret_manager_secret_version" "database" {
  secret                 = google_secret_manager_secret.database.id
  secret_data_wo         = "postgres://slipway:${ephemeral.random_password.database.result}@${local.database_place}"
  secret_data_wo_version = var.passwords_version

  # Instances of the old revision start with the old version until the new revision has taken over.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret" "queue" {
  secret_id = "${var.name}-queue"

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}

resource "google_secret_manager_secret_version" "queue" {
  secret                 = google_secret_manager_secret.queue.id
  secret_data_wo         = "amqp://slipway:${ephemeral.random_password.queue.result}@${local.queue_place}"
  secret_data_wo_version = var.passwords_version

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret" "signing" {
  secret_id = "${var.name}-signing-key"

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}

resource "google_secret_manager_secret_version" "signing" {
  secret                 = google_secret_manager_secret.signing.id
  secret_data_wo         = ephemeral.tls_private_key.signing.private_key_pem_pkcs8
  secret_data_wo_version = var.signing_key_version

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret" "identity" {
  secret_id = "${var.name}-identity-providers"

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}

# A secret is never empty; a comma names no provider.
resource "google_secret_manager_secret_version" "identity" {
  secret                 = google_secret_manager_secret.identity.id
  secret_data_wo         = coalesce(var.identity_providers, ",")
  secret_data_wo_version = var.identity_providers_version

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "database" {
  for_each = toset(["api", "worker", "database"])

  secret_id = google_secret_manager_secret.database.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.roles[each.value].member
}

resource "google_secret_manager_secret_iam_member" "queue" {
  for_each = toset(["api", "worker", "queue"])

  secret_id = google_secret_manager_secret.queue.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.roles[each.value].member
}

resource "google_secret_manager_secret_iam_member" "signing" {
  for_each = toset(["api", "worker"])

  secret_id = google_secret_manager_secret.signing.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.roles[each.value].member
}

resource "google_secret_manager_secret_iam_member" "identity" {
  for_each = toset(["api", "worker"])

  secret_id = google_secret_manager_secret.identity.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.roles[each.value].member
}
