# What Terraform itself needs. Write-only arguments, which keep the passwords out of the state, came with 1.11.

terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
    tls = {
      source  = "hashicorp/tls"
      version = "~> 4.1"
    }
  }

  # The bucket of the state is named on the command line: terraform init -backend-config=bucket=NAME
  backend "gcs" {
    prefix = "slipway"
  }
}

provider "google" {
  project = var.project
  region  = var.region
}
