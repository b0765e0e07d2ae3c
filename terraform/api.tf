# `slipway api`: as many instances as requests want, between two bounds. Only the load balancer reaches them.

resource "google_cloud_run_v2_service" "api" {
  name                = "${var.name}-api"
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  deletion_protection = false

  template {
    service_account                  = google_service_account.roles["api"].email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    max_instance_request_concurrency = 100
    # An upload may take its time; one that falls silent is let go by Slipway itself.
    timeout = "600s"

    scaling {
      min_instance_count = var.api_instances_min
      max_instance_count = var.api_instances_max
    }

    containers {
      image = var.image
      args  = ["api"]

      ports {
        container_port = 8080
      }

      resources {
        limits = {
          cpu    = "1"
          memory = "1Gi"
        }
        # The connection to the queue is kept between requests, which needs the processor then too.
        cpu_idle          = false
        startup_cpu_boost = true
      }

      env {
        name  = "SLIPWAY_LISTEN"
        value = "0.0.0.0:8080"
      }

      dynamic "env" {
        for_each = local.plain_settings

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.secret_settings

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = env.value.secret
              version = env.value.version
            }
          }
        }
      }

      # A first start brings the schema up to date before it listens.
      startup_probe {
        period_seconds    = 5
        failure_threshold = 24

        http_get {
          path = "/healthz"
        }
      }

      liveness_probe {
        http_get {
          path = "/healthz"
        }
      }
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        network    = google_compute_network.main.id
        subnetwork = google_compute_subnetwork.main.id
      }
    }
  }

  depends_on = [
    google_cloud_run_v2_job.database,
    google_compute_instance.queue,
    google_secret_manager_secret_iam_member.database,
    google_secret_manager_secret_iam_member.identity,
    google_secret_manager_secret_iam_member.queue,
    google_secret_manager_secret_iam_member.signing,
    google_storage_bucket_iam_member.api_private,
    google_storage_bucket_iam_member.api_public,
  ]
}

# Slipway knows its callers itself, by their tokens.
resource "google_cloud_run_v2_service_iam_member" "everybody" {
  name     = google_cloud_run_v2_service.api.name
  location = google_cloud_run_v2_service.api.location
  role     = "roles/run.invoker"
  member   = "allUsers"
}
